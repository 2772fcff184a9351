// SPDX-License-Identifier: MIT
//
// Questions about one call. See Calls.h.
#include "Calls.h"
#include "Known.h"
#include "clang/AST/Attr.h"
#include "clang/AST/DeclCXX.h"
#include "clang/Basic/Builtins.h"

using namespace clang;

namespace memscope {

bool isDataPointer(QualType T) {
  auto *Pointer = T->getAs<PointerType>();
  if (!Pointer) return false;
  QualType Pointee = Pointer->getPointeeType();
  return !Pointee->isFunctionType() && Pointee.getAddressSpace() == LangAS::Default;
}

const Expr *stripped(const Expr *E) {
  while (true) {
    const Expr *Next = E->IgnoreParenCasts();
    if (auto *Cleanups = dyn_cast<ExprWithCleanups>(Next)) Next = Cleanups->getSubExpr();
    if (auto *Temporary = dyn_cast<MaterializeTemporaryExpr>(Next)) Next = Temporary->getSubExpr();
    if (auto *Binding = dyn_cast<CXXBindTemporaryExpr>(Next)) Next = Binding->getSubExpr();
    if (Next == E) return E;
    E = Next;
  }
}

llvm::StringRef calleeName(const CallExpr *Call) {
  const FunctionDecl *F = Call->getDirectCallee();
  if (!F || !F->getIdentifier()) return "";
  return F->getName();
}

// Only a function of the C library: a method or a namespace's malloc is another.
static bool isPlainFunction(const FunctionDecl *F) {
  return F && F->getIdentifier() && F->getDeclContext()->getRedeclContext()->isFileContext() && !isa<CXXMethodDecl>(F);
}

static llvm::StringRef plainName(const CallExpr *Call) {
  return isPlainFunction(Call->getDirectCallee()) ? calleeName(Call) : "";
}

// __builtin_malloc is malloc.
static llvm::StringRef libraryName(const CallExpr *Call) {
  llvm::StringRef Name = plainName(Call);
  Name.consume_front("__builtin_");
  return Name;
}

static bool isOperatorNew(const FunctionDecl *F) {
  if (!F) return false;
  OverloadedOperatorKind Kind = F->getOverloadedOperator();
  return (Kind == OO_New || Kind == OO_Array_New) && !F->isReservedGlobalPlacementOperator();
}

const Expr *passedThrough(const CallExpr *Call) {
  if (Call->getNumArgs() == 0) return nullptr;
  switch (Call->getBuiltinCallee()) {
  case Builtin::BI__builtin_assume_aligned:
  case Builtin::BI__builtin_launder:
  case Builtin::BI__builtin_expect: return Call->getArg(0);
  default: break;
  }
  if (Call->getNumArgs() == 1 && Call->isCallToStdMove()) return Call->getArg(0);
  return returnsFirstArgument(plainName(Call)) ? Call->getArg(0) : nullptr;
}

bool isLeafAllocator(const CallExpr *Call) {
  if (isOperatorNew(Call->getDirectCallee())) return true;
  if (Call->getBuiltinCallee() == Builtin::BI__builtin_operator_new) return true;
  return isAllocator(libraryName(Call));
}

bool isSureAllocator(const CallExpr *Call, const Options &Opts) {
  if (isLeafAllocator(Call)) return true;
  const FunctionDecl *F = Call->getDirectCallee();
  if (!F) return false;
  if (F->hasAttr<RestrictAttr>() || F->hasAttr<AllocSizeAttr>()) return true;
  if (F->hasAttr<OwnershipAttr>())
    for (auto *Ownership : F->specific_attrs<OwnershipAttr>())
      if (Ownership->isReturns()) return true;
  return Opts.isAllocator(calleeName(Call)) || Opts.isWrapper(calleeName(Call));
}

bool mayHandOut(const CallExpr *Call, const ASTContext &Ctx) {
  if (!isDataPointer(Call->getType())) return false;
  if (isLeafAllocator(Call)) return true;
  const FunctionDecl *F = Call->getDirectCallee();
  if (!F) return true;
  if (F->isReservedGlobalPlacementOperator()) return false;
  // it->x and *it: inline or not, never a fresh block.
  if (isa<CXXOperatorCallExpr>(Call) && !Call->getType()->isVoidPointerType() &&
      F->getOverloadedOperator() != OO_Call)
    return false;
  if (F->hasAttr<ConstAttr>() || F->hasAttr<PureAttr>()) return false;
  if (unsigned Id = F->getBuiltinID()) {
    // fopen is a builtin too: of the library's, only those known to be inert go.
    if (!Ctx.BuiltinInfo.isPredefinedLibFunction(Id)) return false;
  }
  return !isInert(plainName(Call));
}

bool mayFree(const CallExpr *Call, const Options &Opts) {
  if (isLeafAllocator(Call)) return false; // realloc is an event of its own
  const FunctionDecl *F = Call->getDirectCallee();
  if (F && F->getBuiltinID() == Builtin::BI__builtin_operator_delete) return true;
  if (F && F->isReservedGlobalPlacementOperator()) return false;
  if (F)
    if (auto Kind = F->getOverloadedOperator(); Kind != OO_None) return Kind == OO_Delete || Kind == OO_Array_Delete;
  llvm::StringRef Name = F ? calleeName(Call) : "";
  if (!F) // g->free(p): the pointer's own name
    if (auto *Member = dyn_cast<MemberExpr>(stripped(Call->getCallee())))
      if (Member->getMemberDecl()->getIdentifier()) Name = Member->getMemberDecl()->getName();
  return isDeallocator(libraryName(Call)) || Opts.isDeallocator(Name) || suggestsFreeing(Name);
}

bool isAllocatingNew(const CXXNewExpr *New) {
  const FunctionDecl *F = New->getOperatorNew();
  return F && isOperatorNew(F);
}

bool isSmartPointer(const CXXRecordDecl *Record) {
  if (!Record || !Record->getIdentifier()) return false;
  Record = Record->getDefinition();
  if (!Record || Record->getName().contains("iterator")) return false;
  for (const CXXMethodDecl *Method : Record->methods())
    if (Method->getOverloadedOperator() == OO_Arrow && Method->getReturnType()->isPointerType()) return true;
  for (const CXXBaseSpecifier &Base : Record->bases()) // shared_ptr has it in __shared_ptr_access
    if (isSmartPointer(Base.getType()->getAsCXXRecordDecl())) return true;
  return false;
}

} // namespace memscope
