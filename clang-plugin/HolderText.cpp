// SPDX-License-Identifier: MIT
//
// Expression to path. See HolderText.h.
#include "HolderText.h"
#include "LValue.h"
#include "clang/AST/DeclCXX.h"
#include "clang/AST/ExprCXX.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"

using namespace clang;

namespace memscope {

namespace {

const char Ellipsis[] = "…";

// Deeper paths say nothing more to a reader.
const unsigned DepthLimit = 24;

std::string path(const Expr *E, unsigned Depth);

const Expr *bare(const Expr *E) {
  E = E->IgnoreParenCasts();
  while (true) {
    const Expr *Next = E;
    if (auto *Cleanups = dyn_cast<ExprWithCleanups>(E)) Next = Cleanups->getSubExpr();
    if (auto *Temporary = dyn_cast<MaterializeTemporaryExpr>(E)) Next = Temporary->getSubExpr();
    if (auto *Binding = dyn_cast<CXXBindTemporaryExpr>(E)) Next = Binding->getSubExpr();
    if (auto *Opaque = dyn_cast<OpaqueValueExpr>(E))
      if (Opaque->getSourceExpr()) Next = Opaque->getSourceExpr();
    if (auto *Default = dyn_cast<CXXDefaultArgExpr>(E)) Next = Default->getExpr();
    if (Next == E) return E;
    E = Next->IgnoreParenCasts();
  }
}

// Names, members, elements, * and & alone: worth writing in another's place.
bool isPlainPath(const Expr *E) {
  E = bare(E);
  if (auto *Ref = dyn_cast<DeclRefExpr>(E)) return isa<VarDecl>(Ref->getDecl());
  if (auto *Member = dyn_cast<MemberExpr>(E)) return isPlainPath(Member->getBase());
  if (auto *Subscript = dyn_cast<ArraySubscriptExpr>(E)) return isPlainPath(Subscript->getBase());
  auto *Op = dyn_cast<UnaryOperator>(E);
  return Op && (Op->getOpcode() == UO_Deref || Op->getOpcode() == UO_AddrOf) && isPlainPath(Op->getSubExpr());
}

bool isChanged(const VarDecl *Var, const Stmt *S) {
  auto Is = [&](const Expr *E) {
    auto *Ref = dyn_cast<DeclRefExpr>(bare(E));
    return Ref && Ref->getDecl() == Var;
  };
  if (auto *Assign = dyn_cast<BinaryOperator>(S); Assign && Assign->isAssignmentOp() && Is(Assign->getLHS())) return true;
  if (auto *Op = dyn_cast<UnaryOperator>(S))
    if ((Op->isIncrementDecrementOp() || Op->getOpcode() == UO_AddrOf) && Is(Op->getSubExpr())) return true;
  return llvm::any_of(S->children(), [&](const Stmt *Child) { return Child && isChanged(Var, Child); });
}

// A macro's own `T *io = (argument)` is read as the argument.
const Expr *asWritten(const Expr *E) {
  E = bare(E);
  auto *Ref = dyn_cast<DeclRefExpr>(E);
  auto *Var = Ref ? dyn_cast<VarDecl>(Ref->getDecl()) : nullptr;
  if (!Var || !Var->getInit() || !isMacroLocal(Var) || !isPlainPath(Var->getInit())) return E;
  auto *Function = dyn_cast<FunctionDecl>(Var->getDeclContext());
  if (!Function || !Function->getBody() || isChanged(Var, Function->getBody())) return E;
  return asWritten(Var->getInit());
}

bool isPrimary(llvm::StringRef Text) {
  return !Text.empty() && !Text.contains(' ') && Text.front() != '*' && Text.front() != '&';
}

std::string grouped(std::string Text) { return isPrimary(Text) ? Text : "(" + Text + ")"; }

std::string literal(const Expr *E) {
  llvm::SmallString<16> Text;
  if (auto *Integer = dyn_cast<IntegerLiteral>(E)) {
    Integer->getValue().toString(Text, 10, Integer->getType()->isSignedIntegerType());
    return std::string(Text);
  }
  if (auto *Char = dyn_cast<CharacterLiteral>(E)) {
    if (Char->getValue() >= 0x20 && Char->getValue() < 0x7f && Char->getValue() != '\'' && Char->getValue() != '\\')
      return std::string("'") + char(Char->getValue()) + "'";
    return std::to_string(Char->getValue());
  }
  return Ellipsis;
}

// Simple names and literals stay, everything else is "…".
std::string index(const Expr *E) {
  E = bare(E);
  if (auto *Ref = dyn_cast<DeclRefExpr>(E)) return Ref->getDecl()->getNameAsString();
  if (auto *Minus = dyn_cast<UnaryOperator>(E))
    if (Minus->getOpcode() == UO_Minus && isa<IntegerLiteral>(bare(Minus->getSubExpr())))
      return "-" + literal(bare(Minus->getSubExpr()));
  if (auto *String = dyn_cast<clang::StringLiteral>(E))
    if (String->getCharByteWidth() == 1 && String->getLength() <= 24 && llvm::all_of(String->getString(), llvm::isPrint))
      return ("\"" + String->getString() + "\"").str();
  if (auto *Construct = dyn_cast<CXXConstructExpr>(E))
    if (Construct->getNumArgs() >= 1) return index(Construct->getArg(0));
  return literal(E);
}

std::string reference(const DeclRefExpr *Ref) {
  const ValueDecl *D = Ref->getDecl();
  if (isa<VarDecl>(D) && cast<VarDecl>(D)->isStaticDataMember())
    if (auto *Record = dyn_cast<CXXRecordDecl>(D->getDeclContext()))
      return Record->getNameAsString() + "::" + D->getNameAsString();
  return D->getDeclName() ? D->getNameAsString() : Ellipsis;
}

std::string member(const MemberExpr *M, unsigned Depth) {
  const ValueDecl *Field = M->getMemberDecl();
  const Expr *Base = asWritten(M->getBase());
  // Fields of anonymous structs and unions are written without them.
  if (!Field->getDeclName()) return path(Base, Depth + 1);
  std::string Name = Field->getNameAsString();
  bool Arrow = M->isArrow();
  if (auto *Inner = dyn_cast<MemberExpr>(Base))
    while (Inner && !Inner->getMemberDecl()->getDeclName()) {
      Arrow = Inner->isArrow();
      Base = asWritten(Inner->getBase());
      Inner = dyn_cast<MemberExpr>(Base);
    }
  if (auto *This = dyn_cast<CXXThisExpr>(Base))
    if (This->isImplicit()) return Name;
  if (auto *Smart = dyn_cast<CXXOperatorCallExpr>(Base))
    if (Arrow && Smart->getOperator() == OO_Arrow) Base = bare(Smart->getArg(0));
  // (*p).f and (&x)->f, however a macro came by them.
  if (auto *Unary = dyn_cast<UnaryOperator>(Base)) {
    if (!Arrow && Unary->getOpcode() == UO_Deref) return grouped(path(Unary->getSubExpr(), Depth + 1)) + "->" + Name;
    if (Arrow && Unary->getOpcode() == UO_AddrOf) return grouped(path(Unary->getSubExpr(), Depth + 1)) + "." + Name;
  }
  return grouped(path(Base, Depth + 1)) + (Arrow ? "->" : ".") + Name;
}

std::string unary(const UnaryOperator *Op, unsigned Depth) {
  const Expr *Sub = bare(Op->getSubExpr());
  switch (Op->getOpcode()) {
  case UO_Deref:
    if (auto *Inner = dyn_cast<UnaryOperator>(Sub)) {
      if (Inner->getOpcode() == UO_AddrOf) return path(Inner->getSubExpr(), Depth + 1);
      if (Inner->isPostfix()) return "*" + path(Inner->getSubExpr(), Depth + 1);
    }
    return "*" + grouped(path(Sub, Depth + 1));
  case UO_AddrOf: return "&" + path(Sub, Depth + 1);
  case UO_Extension: return path(Sub, Depth + 1);
  default: return Op->isIncrementDecrementOp() ? path(Sub, Depth + 1) : Ellipsis;
  }
}

std::string operatorCall(const CXXOperatorCallExpr *Call, unsigned Depth) {
  switch (Call->getOperator()) {
  case OO_Subscript:
    if (Call->getNumArgs() == 2) return grouped(path(Call->getArg(0), Depth + 1)) + "[" + index(Call->getArg(1)) + "]";
    return Ellipsis;
  case OO_Star: return Call->getNumArgs() == 1 ? "*" + grouped(path(Call->getArg(0), Depth + 1)) : Ellipsis;
  case OO_Arrow: return path(Call->getArg(0), Depth + 1);
  case OO_Equal: return path(Call->getArg(0), Depth + 1);
  default: return Ellipsis;
  }
}

std::string call(const CallExpr *Call, unsigned Depth) {
  if (auto *Operator = dyn_cast<CXXOperatorCallExpr>(Call)) return operatorCall(Operator, Depth);
  if (Call->isCallToStdMove() && Call->getNumArgs() == 1) return path(Call->getArg(0), Depth + 1);
  return path(Call->getCallee(), Depth + 1) + (Call->getNumArgs() ? "(…)" : "()");
}

std::string path(const Expr *E, unsigned Depth) {
  if (Depth > DepthLimit) return Ellipsis;
  E = asWritten(E);
  if (auto *Ref = dyn_cast<DeclRefExpr>(E)) return reference(Ref);
  if (auto *M = dyn_cast<MemberExpr>(E)) return member(M, Depth);
  if (auto *Op = dyn_cast<UnaryOperator>(E)) return unary(Op, Depth);
  if (auto *Call = dyn_cast<CallExpr>(E)) return call(Call, Depth);
  if (isa<CXXThisExpr>(E)) return "this";
  if (auto *Subscript = dyn_cast<ArraySubscriptExpr>(E))
    return grouped(path(Subscript->getBase(), Depth + 1)) + "[" + index(Subscript->getIdx()) + "]";
  if (auto *Assign = dyn_cast<BinaryOperator>(E)) {
    if (Assign->isAssignmentOp()) return path(Assign->getLHS(), Depth + 1);
    // A walk through a buffer: p + n is still p.
    if (Assign->isAdditiveOp() && Assign->getLHS()->getType()->isPointerType())
      return path(Assign->getLHS(), Depth + 1);
    if (Assign->getOpcode() == BO_Comma) return path(Assign->getRHS(), Depth + 1);
  }
  return Ellipsis;
}

std::string qualifiedName(const FunctionDecl *F) {
  if (auto *Method = dyn_cast<CXXMethodDecl>(F)) {
    if (Method->getParent()->isLambda()) return "lambda";
    std::string Text;
    llvm::raw_string_ostream Out(Text);
    Method->printQualifiedName(Out);
    return Out.str();
  }
  return F->getDeclContext()->isNamespace() ? F->getQualifiedNameAsString() : F->getNameAsString();
}

} // namespace

std::string pathText(const Expr *E) { return path(E, 0); }

std::string calleeText(const CallExpr *Call) {
  if (const FunctionDecl *F = Call->getDirectCallee()) return qualifiedName(F);
  const Expr *Callee = bare(Call->getCallee());
  if (auto *Deref = dyn_cast<UnaryOperator>(Callee))
    if (Deref->getOpcode() == UO_Deref) Callee = Deref->getSubExpr();
  return path(Callee, 0);
}

std::string functionText(const FunctionDecl *F) {
  auto *Method = dyn_cast<CXXMethodDecl>(F);
  if (!Method || !Method->getParent()->isLambda()) return qualifiedName(F);
  const DeclContext *Outer = Method->getParent()->getDeclContext();
  while (Outer && !isa<FunctionDecl>(Outer)) Outer = Outer->getParent();
  return (Outer ? functionText(cast<FunctionDecl>(Outer)) + "::" : "") + "{lambda}::operator()";
}

std::string callText(const Expr *E) {
  E = bare(E);
  if (auto *Call = dyn_cast<CallExpr>(E)) return path(Call, 0);
  if (isa<CXXNewExpr>(E)) return "new";
  return path(E, 0);
}

std::string argumentText(llvm::StringRef Callee, unsigned Number) {
  return (Callee + "(…, #" + llvm::Twine(Number) + ")").str();
}

std::string memberText(std::string Base, llvm::StringRef Field) {
  if (Base.size() > 1 && Base[0] == '*' && isPrimary(llvm::StringRef(Base).drop_front()))
    return (llvm::StringRef(Base).drop_front() + "->" + Field).str();
  return (Base + "." + Field).str();
}

} // namespace memscope
