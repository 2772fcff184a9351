// SPDX-License-Identifier: MIT
//
// Where a function's blocks go. See BodyFlow.h.
#include "BodyFlow.h"
#include "Calls.h"
#include "HolderText.h"
#include "Known.h"
#include "LValue.h"
#include "clang/AST/Attr.h"
#include "clang/AST/DeclCXX.h"
#include "clang/AST/StmtCXX.h"

using namespace clang;

namespace memscope {

namespace {

const unsigned DepthLimit = 8; // of copies followed from local to local

bool isVoidPointer(QualType T) { return T->isVoidPointerType(); }

const Expr *lastOf(const StmtExpr *E) {
  const CompoundStmt *Body = E->getSubStmt();
  return Body->body_empty() ? nullptr : dyn_cast<Expr>(Body->body_back());
}

} // namespace

BodyFlow::BodyFlow(ASTContext &Ctx, const FunctionDecl *Function, const Stmt *Body)
    : Ctx(Ctx), Function(Function), Context(Function) {
  if (Function)
    for (const ParmVarDecl *Parameter : Function->parameters()) local(Parameter).Passed = true;
  scan(Body, true);
  propagate();
  decideWrapper();
}

BodyFlow::Local &BodyFlow::local(const VarDecl *Var) {
  auto [It, New] = Locals.try_emplace(Var);
  if (New) Order.push_back(Var);
  return It->second;
}

const BodyFlow::Local *BodyFlow::find(const VarDecl *Var) const {
  auto It = Locals.find(Var);
  return It == Locals.end() ? nullptr : &It->second;
}

bool BodyFlow::isLocal(const VarDecl *Var) const {
  return Var && Var->hasLocalStorage() && (!Context || Var->getDeclContext() == Context) &&
         !Var->getType()->isReferenceType();
}

// ---- one pass over the body

void BodyFlow::scan(const Stmt *S, bool Certain) {
  if (!S || isa<LambdaExpr>(S) || isa<UnaryExprOrTypeTraitExpr>(S)) return;
  if (auto *D = dyn_cast<DeclStmt>(S)) return scanDecl(D);
  if (auto *Return = dyn_cast<ReturnStmt>(S)) {
    if (Return->getRetValue()) scanReturn(Return->getRetValue());
  } else if (auto *Return = dyn_cast<CoreturnStmt>(S)) {
    if (Return->getOperand()) scanReturn(Return->getOperand());
  } else if (auto *Binary = dyn_cast<BinaryOperator>(S)) {
    if (Binary->getOpcode() == BO_Assign) return scanAssign(Binary, Certain);
  } else if (auto *Call = dyn_cast<CallExpr>(S)) {
    scanCall(Call);
  } else if (auto *If = dyn_cast<IfStmt>(S)) {
    return scanIf(If, Certain);
  } else if (auto *New = dyn_cast<CXXNewExpr>(S)) {
    Events.push_back({New->getOperatorNew(), FeedOf.lookup(New), true, NullSince});
  } else if (auto *Cast = dyn_cast<CastExpr>(S)) {
    scanCast(Cast);
  } else if (auto *Statement = dyn_cast<StmtExpr>(S)) {
    const VarDecl *Var = lastOf(Statement) ? rootLocal(lastOf(Statement)) : nullptr;
    if (Var && isLocal(Var)) local(Var).Inner = true;
  }
  bool Branches = !isa<CompoundStmt>(S) && !isa<Expr>(S) && !isa<ReturnStmt>(S) && !isa<CoroutineBodyStmt>(S);
  bool Chooses = isa<AbstractConditionalOperator>(S) || (isa<BinaryOperator>(S) && cast<BinaryOperator>(S)->isLogicalOp());
  bool First = true; // an if's condition is always evaluated
  for (const Stmt *Child : S->children()) {
    if (!Child) continue;
    bool Always = Certain && (!(Branches || Chooses) || (First && (isa<Expr>(Child) || isa<DeclStmt>(Child))));
    First = false;
    scan(Child, Always);
  }
}

// x, x != 0: +1. !x, x == 0: -1. Else 0. Through __builtin_expect and the terms of && and ||.
static int nullTest(const Expr *E, bool All) {
  E = E->IgnoreParenCasts();
  if (auto *Call = dyn_cast<CallExpr>(E))
    if (Call->getNumArgs() == 2 && calleeName(Call) == "__builtin_expect") return nullTest(Call->getArg(0), All);
  if (auto *Not = dyn_cast<UnaryOperator>(E))
    if (Not->getOpcode() == UO_LNot) return -nullTest(Not->getSubExpr(), !All);
  if (auto *Binary = dyn_cast<BinaryOperator>(E)) {
    if (Binary->getOpcode() == (All ? BO_LAnd : BO_LOr)) {
      int Left = nullTest(Binary->getLHS(), All);
      return Left ? Left : nullTest(Binary->getRHS(), All);
    }
    if (Binary->isEqualityOp() && Binary->getLHS()->getType()->isPointerType()) {
      auto *Zero = dyn_cast<IntegerLiteral>(Binary->getRHS()->IgnoreParenCasts());
      bool Null = (Zero && Zero->getValue() == 0) || isa<CXXNullPtrLiteralExpr>(Binary->getRHS()->IgnoreParenCasts()) ||
                  isa<GNUNullExpr>(Binary->getRHS()->IgnoreParenCasts());
      return !Null ? 0 : Binary->getOpcode() == BO_EQ ? -1 : 1;
    }
    if (Binary->getOpcode() == BO_Assign && E->getType()->isPointerType()) return 1;
  }
  return isa<DeclRefExpr>(E) && E->getType()->isPointerType() ? 1 : 0;
}

// What happens where the block is NULL does not come between it and its use.
void BodyFlow::scanIf(const IfStmt *If, bool Certain) {
  if (If->getInit()) scan(If->getInit(), Certain);
  if (If->getConditionVariableDeclStmt()) scan(If->getConditionVariableDeclStmt(), Certain);
  scan(If->getCond(), Certain);
  bool ThenNull = nullTest(If->getCond(), true) < 0, ElseNull = nullTest(If->getCond(), false) > 0;
  auto ScanBranch = [&](const Stmt *Branch, bool Null) {
    unsigned Outer = NullSince;
    if (Null && !NullSince) NullSince = Events.size();
    if (Branch) scan(Branch, false);
    NullSince = Outer;
  };
  ScanBranch(If->getThen(), ThenNull);
  ScanBranch(If->getElse(), ElseNull);
}

void BodyFlow::scanDecl(const DeclStmt *Statement) {
  for (const Decl *D : Statement->decls()) {
    auto *Var = dyn_cast<VarDecl>(D);
    if (!Var || !Var->getInit()) continue;
    if (isLocal(Var)) {
      assign(Var, Var->getInit(), true);
    }
    scan(Var->getInit(), true);
  }
}

void BodyFlow::scanReturn(const Expr *E) {
  LastReturn = Events.size();
  Values Leaves;
  values(E, false, Leaves);
  for (const Value &V : Leaves) {
    Returned.push_back(V);
    addPlace(V);
    if (!V.Var) continue;
    Local &L = local(V.Var);
    L.Derived = L.Derived && V.Derived;
    L.Up = true;
  }
}

// The very place is handed on, not something reached from it: with
// return &f->list[i] the list itself stays where it is.
void BodyFlow::addPlace(const Value &V) {
  if (V.Var || V.Derived || !V.E->getType()->isPointerType()) return;
  if (!isa<MemberExpr>(V.E) && !isa<ArraySubscriptExpr>(V.E) && !isa<UnaryOperator>(V.E)) return;
  std::string Text = pathText(V.E);
  if (!llvm::StringRef(Text).contains("…")) ReturnedPlaces.push_back(Text);
}

void BodyFlow::scanAssign(const BinaryOperator *Assign, bool Certain) {
  const Expr *Target = Assign->getLHS();
  if (const VarDecl *Root = rootLocal(Target); Root && isLocal(Root)) {
    assign(Root, Assign->getRHS(), Certain && isa<DeclRefExpr>(Target->IgnoreParens()));
    scan(Assign->getRHS(), Certain);
    scan(Target, Certain);
    return;
  }
  scan(Assign->getRHS(), Certain);
  Values Leaves;
  values(Assign->getRHS(), false, Leaves);
  bool Out = outParameter(Target);
  const Expr *Base = reachedThrough(Target);
  const VarDecl *Into = Base ? rootLocal(Base) : nullptr;
  for (const Value &V : Leaves) {
    if (Out) HandedOut.push_back(V);
    if (Out) addPlace(V);
    if (!V.Var || V.Var == Into) continue; // p->self = p keeps nothing
    Local &L = local(V.Var);
    L.Moves = true;
    if (Out) {
      L.Up = true;
      L.Derived = false;
    } else {
      L.Stored = true;
    }
  }
  scan(Target, Certain);
}

void BodyFlow::assign(const VarDecl *Var, const Expr *E, bool Certain) {
  Values Leaves;
  values(E, false, Leaves);
  bool SawFresh = false;
  for (const Value &V : Leaves) {
    if (V.Var) {
      if (V.Var == Var) continue;
      local(V.Var).Moves = true;
      local(V.Var).Into.push_back(Var);
      local(Var).From.push_back(V.Var);
      continue;
    }
    unsigned Bits = leafBits(V);
    Local &L = local(Var);
    L.Got |= Bits;
    if (Bits != Fresh) continue;
    SawFresh = true;
    if (!L.Source) L.Source = V.E;
    L.FirstFeed = std::min<unsigned>(L.FirstFeed, Events.size());
    FeedOf.try_emplace(V.E, Var);
  }
  // A parameter that surely got a new block no longer holds the caller's.
  if (SawFresh && Certain) local(Var).Passed = false;
}

void BodyFlow::scanCall(const CallExpr *Call) {
  const FunctionDecl *Callee = Call->getDirectCallee();
  bool Harmless = Callee && (isInert(calleeName(Call)) || Callee->isNoReturn() || Callee->hasAttr<ConstAttr>() ||
                             Callee->hasAttr<PureAttr>());
  if (Callee && Callee->getBuiltinID() && !mayHandOut(Call, Ctx)) Harmless = true;
  const unsigned Here = Events.size();
  if (!Harmless) Events.push_back({Callee, FeedOf.lookup(Call), mayHandOut(Call, Ctx), NullSince});
  for (const Expr *Argument : Call->arguments()) {
    auto *Address = dyn_cast<UnaryOperator>(Argument->IgnoreParenCasts());
    if (!Address || Address->getOpcode() != UO_AddrOf) continue;
    const VarDecl *Root = rootLocal(Address->getSubExpr());
    if (!Root || !isLocal(Root) || !isDataPointer(Address->getSubExpr()->getType())) continue;
    Local &L = local(Root); // f(&p): p gets what f hands out
    L.Got |= Fresh;
    if (!L.Source) L.Source = Call;
    L.FirstFeed = std::min<unsigned>(L.FirstFeed, Here);
    if (Here < Events.size()) Events[Here].Feeds = Root;
  }
}

void BodyFlow::scanCast(const CastExpr *Cast) {
  if (!Cast->getType()->isPointerType()) return;
  auto *Ref = dyn_cast<DeclRefExpr>(Cast->getSubExpr()->IgnoreParenImpCasts());
  auto *Var = Ref ? dyn_cast<VarDecl>(Ref->getDecl()) : nullptr;
  if (!Var || !isLocal(Var) || !isVoidPointer(Var->getType())) return;
  QualType Pointee = Cast->getType()->getPointeeType().getUnqualifiedType();
  if (Pointee->isVoidType() || Pointee->isFunctionType()) return;
  Local &L = local(Var);
  L.Mixed |= !L.Used.isNull() && !Ctx.hasSameType(L.Used, Pointee);
  L.Used = Pointee;
}

void BodyFlow::values(const Expr *E, bool Derived, Values &Out) const {
  if (!E || Out.size() > 64) return;
  E = stripped(E);
  auto Through = [&](const Expr *LValue) {
    if (const Expr *Pointer = reachedThrough(LValue)) return values(Pointer, Derived || !isAtBase(LValue), Out);
    Out.push_back({E, nullptr, Derived});
  };
  if (auto *Choice = dyn_cast<ConditionalOperator>(E)) {
    values(Choice->getTrueExpr(), Derived, Out);
    return values(Choice->getFalseExpr(), Derived, Out);
  }
  if (auto *Choice = dyn_cast<BinaryConditionalOperator>(E)) {
    values(Choice->getCommon(), Derived, Out);
    return values(Choice->getFalseExpr(), Derived, Out);
  }
  if (auto *Binary = dyn_cast<BinaryOperator>(E)) {
    if (Binary->getOpcode() == BO_Comma) return values(Binary->getRHS(), Derived, Out);
    if (Binary->getOpcode() == BO_Assign) {
      const VarDecl *Root = rootLocal(Binary->getLHS());
      if (Root && isLocal(Root)) return Out.push_back({Binary->getLHS(), Root, Derived});
      return values(Binary->getRHS(), Derived, Out);
    }
    if (Binary->isAdditiveOp() && E->getType()->isPointerType())
      return values(Binary->getLHS()->getType()->isPointerType() ? Binary->getLHS() : Binary->getRHS(), true, Out);
  }
  if (auto *Unary = dyn_cast<UnaryOperator>(E)) {
    if (Unary->getOpcode() == UO_AddrOf) return Through(Unary->getSubExpr());
    if (Unary->getOpcode() == UO_Extension) return values(Unary->getSubExpr(), Derived, Out);
    if (Unary->isIncrementDecrementOp()) return values(Unary->getSubExpr(), true, Out);
  }
  if (auto *Statement = dyn_cast<StmtExpr>(E))
    if (const Expr *Last = lastOf(Statement)) return values(Last, Derived, Out);
  if (auto *List = dyn_cast<InitListExpr>(E)) {
    for (const Expr *Init : List->inits()) values(Init, Derived, Out);
    return;
  }
  if (auto *Literal = dyn_cast<CompoundLiteralExpr>(E)) return values(Literal->getInitializer(), Derived, Out);
  if (auto *Construct = dyn_cast<CXXConstructExpr>(E)) {
    for (const Expr *Argument : Construct->arguments()) values(Argument, Derived, Out);
    return;
  }
  if (auto *Generic = dyn_cast<GenericSelectionExpr>(E))
    if (!Generic->isResultDependent()) return values(Generic->getResultExpr(), Derived, Out);
  if (auto *Choose = dyn_cast<ChooseExpr>(E)) return values(Choose->getChosenSubExpr(), Derived, Out);
  if (auto *Call = dyn_cast<CallExpr>(E))
    if (const Expr *Passed = passedThrough(Call)) return values(Passed, Derived, Out);
  // A whole variable; a member of a local record is a place of its own.
  if (const VarDecl *Root = rootLocal(E); Root && isLocal(Root) && isa<DeclRefExpr>(E))
    return Out.push_back({E, Root, Derived});
  if (E->getType()->isArrayType()) return Through(E); // p->bytes as a value
  Out.push_back({E, nullptr, Derived});
}

unsigned BodyFlow::leafBits(const Value &V) const {
  if (V.Var) return settled(V.Var);
  const Expr *E = V.E;
  if (auto *New = dyn_cast<CXXNewExpr>(E)) return isAllocatingNew(New) ? Fresh : Other;
  if (auto *Call = dyn_cast<CallExpr>(E)) return mayHandOut(Call, Ctx) ? Fresh : Other;
  if (E->getType()->isNullPtrType() || isa<GNUNullExpr>(E)) return Null;
  if (auto *Integer = dyn_cast<IntegerLiteral>(E)) return Integer->getValue() == 0 ? Null : Other;
  return Other;
}

// ---- conclusions

unsigned BodyFlow::settled(const VarDecl *Var, unsigned Depth) const {
  const Local *L = find(Var);
  if (!L || Depth > DepthLimit) return Other;
  unsigned Bits = L->Got | (L->Passed ? unsigned(Other) : 0);
  for (const VarDecl *From : L->From) Bits |= settled(From, Depth + 1);
  return Bits;
}

bool BodyFlow::storedAnywhere(const VarDecl *Var, unsigned Depth) const {
  const Local *L = find(Var);
  if (!L || Depth > DepthLimit) return false;
  if (L->Stored) return true;
  for (const VarDecl *Into : L->Into)
    if (storedAnywhere(Into, Depth + 1)) return true;
  return false;
}

void BodyFlow::propagate() {
  for (bool Changed = true; Changed;) {
    Changed = false;
    for (const VarDecl *Var : Order) {
      Local &L = Locals[Var];
      for (const VarDecl *Into : L.Into) {
        const Local *Target = find(Into);
        if (!Target || !Target->Up) continue;
        bool Derived = L.Derived && Target->Derived;
        if (L.Up && L.Derived == Derived) continue;
        L.Up = true;
        L.Derived = Derived;
        Changed = true;
      }
    }
  }
}

// A void pointer never looked at as anything else: the function is no
// constructor, whatever it calls before it hands the block on.
bool BodyFlow::isBareBlock(const VarDecl *Var) const {
  const Local *L = find(Var);
  return isVoidPointer(Var->getType()) && (!L || L->Used.isNull());
}

void BodyFlow::decideWrapper() {
  if (!Function) return;
  bool ByValue = isDataPointer(Function->getReturnType());
  const Values &Out = ByValue ? Returned : HandedOut;
  unsigned Bits = 0;
  for (const Value &V : Out) {
    Bits |= leafBits(V);
    if (V.Var && storedAnywhere(V.Var)) Bits |= Other;
  }
  Wrapper = (Bits & Fresh) && !(Bits & Other);
  if (!Wrapper) return;
  unsigned End = ByValue ? LastReturn : Events.size();
  for (const Value &V : Out) {
    if (!V.Var || isBareBlock(V.Var)) continue;
    unsigned Fed = firstFeed(V.Var);
    for (unsigned I = Fed; I < End; ++I) {
      if (Events[I].Feeds || Events[I].NullSince > Fed) continue;
      if (!Events[I].Callee) Wrapper = false;
      Between.push_back(Events[I].Callee);
    }
  }
}

unsigned BodyFlow::firstFeed(const VarDecl *Var, unsigned Depth) const {
  const Local *L = find(Var);
  if (!L || Depth > DepthLimit) return ~0u;
  unsigned First = L->FirstFeed;
  for (const VarDecl *From : L->From) First = std::min(First, firstFeed(From, Depth + 1));
  return First;
}

bool BodyFlow::isHeader(const VarDecl *Var) const {
  const Local *L = find(Var);
  return L && L->Up && L->Derived;
}

bool BodyFlow::isReturnedPlace(const Expr *LValue) const {
  return !ReturnedPlaces.empty() && llvm::is_contained(ReturnedPlaces, pathText(LValue));
}

bool BodyFlow::isUp(const VarDecl *Var) const {
  const Local *L = find(Var);
  if (!L || !L->Up) return false;
  // Anchored elsewhere, and what returns is another thing inside the block:
  // lua_pushlstring gives the characters of the string it pushed.
  bool Interior = L->Derived && Function && !isVoidPointer(Function->getReturnType()) && storedAnywhere(Var);
  return !Interior;
}

bool BodyFlow::isInner(const VarDecl *Var) const {
  const Local *L = find(Var);
  return L && L->Inner;
}

bool BodyFlow::movesOn(const VarDecl *Var) const {
  const Local *L = find(Var);
  return !Var->getType()->isPointerType() || (L && L->Moves);
}

QualType BodyFlow::usedAs(const VarDecl *Var) const {
  const Local *L = find(Var);
  return L && !L->Mixed ? L->Used : QualType();
}

const Expr *BodyFlow::source(const VarDecl *Var) const {
  const Local *L = find(Var);
  return L ? L->Source : nullptr;
}

} // namespace memscope
