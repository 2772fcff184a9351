// SPDX-License-Identifier: MIT
//
// Builds and places the marker calls. See Marker.h.
#include "Marker.h"
#include "Calls.h"
#include "Compat.h"
#include "clang/AST/Attr.h"

using namespace clang;

namespace memscope {

static const char *const Names[] = {"__memscope_mark", "__memscope_out", "__memscope_freed"};

FunctionDecl *Marker::function(MarkerKind Kind) {
  FunctionDecl *&F = Functions[unsigned(Kind)];
  if (F) return F;
  QualType Parameters[] = {Ctx.VoidPtrTy, Ctx.UnsignedIntTy};
  QualType Type = Ctx.getFunctionType(Ctx.VoidPtrTy, Parameters, FunctionProtoType::ExtProtoInfo());
  DeclContext *Context = Ctx.getTranslationUnitDecl();
  if (Ctx.getLangOpts().CPlusPlus) Context = compat::createExternC(Ctx);
  F = FunctionDecl::Create(Ctx, Context, SourceLocation(), SourceLocation(),
                           DeclarationName(&Ctx.Idents.get(Names[unsigned(Kind)])), Type, nullptr, SC_Extern);
  SmallVector<ParmVarDecl *, 2> Declared;
  for (QualType T : Parameters)
    Declared.push_back(
        ParmVarDecl::Create(Ctx, F, SourceLocation(), SourceLocation(), nullptr, T, nullptr, SC_None, nullptr));
  F->setParams(Declared);
  F->setImplicit();
  F->addAttr(NoThrowAttr::CreateImplicit(Ctx)); // a call, never an invoke
  return F;
}

Expr *Marker::cast(Expr *E, QualType T) {
  return ImplicitCastExpr::Create(Ctx, T, CK_BitCast, E, nullptr, VK_PRValue, FPOptionsOverride());
}

Expr *Marker::call(MarkerKind Kind, Expr *Pointer, uint32_t Site) {
  SourceLocation Loc = Pointer->getBeginLoc();
  FunctionDecl *F = function(Kind);
  Expr *Callee = DeclRefExpr::Create(Ctx, NestedNameSpecifierLoc(), SourceLocation(), F, false, Loc, F->getType(),
                                     VK_LValue);
  Callee = ImplicitCastExpr::Create(Ctx, Ctx.getPointerType(F->getType()), CK_FunctionToPointerDecay, Callee, nullptr,
                                    VK_PRValue, FPOptionsOverride());
  Expr *Number = IntegerLiteral::Create(Ctx, llvm::APInt(32, Site), Ctx.UnsignedIntTy, Loc);
  Expr *Arguments[] = {cast(Pointer, Ctx.VoidPtrTy), Number};
  return cast(CallExpr::Create(Ctx, Callee, Arguments, Ctx.VoidPtrTy, VK_PRValue, Loc, FPOptionsOverride()),
              Pointer->getType());
}

void Marker::apply(const Change &C) {
  auto *E = llvm::cast<Expr>(*C.Slot);
  if (E->isPRValue()) {
    if (isDataPointer(E->getType())) *C.Slot = call(C.Kind, E, C.Site);
    return;
  }
  // f(p) with void f(T *&): the reference is the address
  if (C.Kind != MarkerKind::Out || !E->isLValue()) return;
  SourceLocation Loc = E->getBeginLoc();
  Expr *Address = UnaryOperator::Create(Ctx, E, UO_AddrOf, Ctx.getPointerType(E->getType()), VK_PRValue, OK_Ordinary,
                                        Loc, false, FPOptionsOverride());
  *C.Slot = UnaryOperator::Create(Ctx, call(C.Kind, Address, C.Site), UO_Deref, E->getType(), VK_LValue, OK_Ordinary,
                                  Loc, false, FPOptionsOverride());
}

void Marker::apply(const Finder &Found) {
  for (const Change &C : Found.Changes) apply(C);
  for (const InitializerChange &I : Found.Initializers) {
    CXXCtorInitializer *&Old = I.Constructor->init_begin()[I.Index];
    auto *Init = llvm::cast<Expr>(I.Init);
    CXXCtorInitializer *New;
    if (Old->isIndirectMemberInitializer())
      New = new (Ctx) CXXCtorInitializer(Ctx, Old->getIndirectMember(), Old->getMemberLocation(), Old->getLParenLoc(),
                                         Init, Old->getRParenLoc());
    else if (Old->isMemberInitializer())
      New = new (Ctx) CXXCtorInitializer(Ctx, Old->getMember(), Old->getMemberLocation(), Old->getLParenLoc(), Init,
                                         Old->getRParenLoc());
    else
      continue; // a base is no pointer
    if (Old->isWritten()) New->setSourceOrder(Old->getSourceOrder());
    Old = New;
  }
}

} // namespace memscope
