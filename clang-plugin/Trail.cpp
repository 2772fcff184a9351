// SPDX-License-Identifier: MIT
//
// The block's way through a function. See Trail.h.
#include "Trail.h"
#include "Calls.h"
#include "HolderText.h"
#include "LValue.h"

using namespace clang;

namespace memscope {

namespace {

bool isRaw(QualType Pointer) {
  QualType Pointee = Pointer->getPointeeType();
  return !Pointee.isNull() && (Pointee->isVoidType() || Pointee->isAnyCharacterType());
}

bool isRecordPointer(QualType Pointer) {
  return Pointer->isPointerType() && Pointer->getPointeeType()->isRecordType();
}

// A member of a local, by dots alone: as much a variable as the local.
bool isMemberOfLocal(const Expr *LValue) {
  auto *Member = dyn_cast<MemberExpr>(stripped(LValue));
  return Member && !Member->isArrow() && (isa<DeclRefExpr>(stripped(Member->getBase())) || isMemberOfLocal(Member->getBase()));
}

std::string carrierPath(const Expr *LValue) { return isMemberOfLocal(LValue) ? pathText(LValue) : ""; }

} // namespace

// ---- the function, once

bool Trails::prepare() {
  if (Prepared) return Graph != nullptr;
  Prepared = true;
  CFG::BuildOptions How;
  How.setAllAlwaysAdd();
  Graph = CFG::buildCFG(Function, Body, &Ctx, How);
  if (!Graph) return false; // a form Clang has no graph for: locals keep their names
  rank(Body, 0);
  for (const CFGBlock *Block : *Graph)
    for (unsigned I = 0; I < Block->size(); ++I) {
      auto Element = (*Block)[I].getAs<CFGStmt>();
      if (!Element) continue;
      const Stmt *S = Element->getStmt();
      if (auto *Statement = dyn_cast<DeclStmt>(S)) // one variable each in a graph
        for (const Decl *D : Statement->decls()) Behind[D] = {Block, I + 1};
      else if (isa<BinaryOperator>(S) || isa<CallExpr>(S))
        Behind[S] = {Block, I + 1};
    }
  return true;
}

// The parts of a statement that may be left out or run again.
static bool isConditional(const Stmt *S, const Stmt *Part) {
  if (auto *If = dyn_cast<IfStmt>(S)) return Part == If->getThen() || Part == If->getElse();
  if (auto *While = dyn_cast<WhileStmt>(S)) return Part == While->getBody();
  if (auto *For = dyn_cast<ForStmt>(S)) return Part == For->getBody();
  if (auto *Range = dyn_cast<CXXForRangeStmt>(S)) return Part == Range->getBody();
  if (auto *Switch = dyn_cast<SwitchStmt>(S)) return Part == Switch->getBody();
  if (auto *Choice = dyn_cast<AbstractConditionalOperator>(S)) return Part != Choice->getCond();
  auto *Logical = dyn_cast<BinaryOperator>(S);
  return Logical && Logical->isLogicalOp() && Part == Logical->getRHS();
}

void Trails::rank(const Stmt *S, unsigned Conditions) {
  const Rank Here{false, Conditions, unsigned(Ranks.size())};
  if (auto *Statement = dyn_cast<DeclStmt>(S))
    for (const Decl *D : Statement->decls()) Ranks.try_emplace(D, Here);
  else if (isa<BinaryOperator>(S))
    Ranks.try_emplace(S, Here);
  for (const Stmt *Child : S->children())
    if (Child && !isa<LambdaExpr>(Child)) rank(Child, Conditions + isConditional(S, Child));
}

// ---- one block

TrailEnd Trails::follow(const VarDecl *Root, const Expr *LValue, const Stmt *Start) {
  if (!prepare()) return TrailEnd();
  auto It = Behind.find(Start ? static_cast<const void *>(Start) : Root);
  if (It == Behind.end()) return TrailEnd(); // never executed
  Seen.clear();
  Offers.clear();
  Shared.clear();
  First = Root;
  FromMacro = isMacroLocal(Root);
  Begin = It->second;
  NextTurn = false;
  add({Root, LValue ? carrierPath(LValue) : "", Ours}, It->second);
  while (!Work.empty()) {
    Step From = std::move(Work.back());
    Work.pop_back();
    run(From);
  }
  return best();
}

// Places before locals, then by rank.
TrailEnd Trails::best() const {
  const Offer *Best = nullptr;
  for (const Offer &O : Offers) {
    if (Shared.count(O.Where)) continue;
    bool Better = !Best || (O.End.Place && !Best->End.Place) || (!O.End.Place == !Best->End.Place && O.Right < Best->Right);
    if (Better) Best = &O;
  }
  return Best ? Best->End : TrailEnd();
}

void Trails::add(Carrier C, Position At) {
  Step Next{std::move(C), At, NextTurn};
  if (Seen.insert(Next).second) Work.push_back(std::move(Next));
}

void Trails::run(const Step &From) {
  const CFGBlock *Block = From.At.Block;
  NextTurn = From.NextTurn;
  for (unsigned I = From.At.Next; I < Block->size(); ++I) {
    bool Again = Block == Begin.Block && I + 1 == Begin.Next;
    if (Again && From.Holds.Has != Ours) return;
    NextTurn |= Again;
    if (auto Element = (*Block)[I].getAs<CFGStmt>())
      if (!pass(Element->getStmt(), From.Holds, {Block, I + 1})) return;
  }
  for (const CFGBlock *Next : Block->succs())
    if (Next) add(From.Holds, {Next, 0});
}

// False: the carrier does not hold the block any more.
bool Trails::pass(const Stmt *S, const Carrier &C, Position Then) {
  if (C.Has != Ours) return passWithout(S, C, Then);
  if (auto *Binary = dyn_cast<BinaryOperator>(S)) {
    if (!Binary->isAssignmentOp()) return true;
    bool Interior = false;
    if (Binary->getOpcode() == BO_Assign && carries(Binary->getRHS(), C, Interior)) {
      stored(Binary, C, Then);
      return true;
    }
    return !is(Binary->getLHS(), C);
  }
  if (auto *Unary = dyn_cast<UnaryOperator>(S)) return !Unary->isIncrementDecrementOp() || !is(Unary->getSubExpr(), C);
  if (auto *Statement = dyn_cast<DeclStmt>(S)) return passDeclaration(Statement, C, Then);
  if (auto *Call = dyn_cast<CallExpr>(S)) return passCall(Call, C, Then);
  return true;
}

bool Trails::passDeclaration(const DeclStmt *Statement, const Carrier &C, Position Then) {
  for (const Decl *D : Statement->decls()) {
    auto *Var = dyn_cast<VarDecl>(D);
    if (!Var) continue;
    if (Var == C.Root) return false; // the next turn of a loop
    bool Interior = false;
    if (!Var->getInit() || !Var->hasLocalStorage() || !carries(Var->getInit(), C, Interior) || Interior) continue;
    copied(Var, "", Var, Var->getInit()->getBeginLoc(), C, Then);
  }
  return true;
}

// f(&p) may give p another value, unless it takes a const *; free(p) ends the block.
bool Trails::passCall(const CallExpr *Call, const Carrier &C, Position Then) {
  for (const Expr *Argument : Call->arguments()) {
    auto *Address = dyn_cast<UnaryOperator>(stripped(Argument));
    bool Writable = Argument->getType()->isPointerType() && !Argument->getType()->getPointeeType().isConstQualified();
    if (Address && Writable && Address->getOpcode() == UO_AddrOf && is(Address->getSubExpr(), C)) return false;
    bool Interior = false;
    if (!mayFree(Call, Opts) || !carries(Argument, C, Interior) || Interior) continue;
    if (C.Root == First) add({C.Root, C.Path, GivenBack}, Then);
    return false;
  }
  return true;
}

// The block was given back. When the local then takes another one to a store,
// that store is no place of ours.
bool Trails::passWithout(const Stmt *S, const Carrier &C, Position Then) {
  auto *Assign = dyn_cast<BinaryOperator>(S);
  if (!Assign || Assign->getOpcode() != BO_Assign) return true;
  const Expr *Value = Assign->getRHS();
  if (C.Has == Another && is(Value, C)) Shared.insert(Assign);
  if (C.Has == Another || !is(Assign->getLHS(), C)) return true;
  if (!Value->isNullPointerConstant(Ctx, Expr::NPC_ValueDependentIsNull)) add({C.Root, C.Path, Another}, Then);
  return false;
}

void Trails::stored(const BinaryOperator *Assign, const Carrier &C, Position Then) {
  const Expr *Place = Assign->getLHS();
  bool Interior = false;
  carries(Assign->getRHS(), C, Interior);
  if (is(Place, C) || !isDataPointer(Place->getType())) return;
  if (const VarDecl *Into = rootLocal(Place)) {
    if (!Interior && (isa<DeclRefExpr>(stripped(Place)) || isMemberOfLocal(Place)))
      copied(Into, carrierPath(Place), Assign, Assign->getBeginLoc(), C, Then);
    return;
  }
  // p->self = p keeps nothing
  const Expr *Base = reachedThrough(Place);
  const VarDecl *Through = Base ? rootLocal(Base) : nullptr;
  if (Through == C.Root) return;
  TrailEnd End;
  End.Place = Place;
  End.Loc = Assign->getBeginLoc();
  offer(End, Assign);
}

void Trails::copied(const VarDecl *Into, std::string Path, const void *Where, SourceLocation Loc, const Carrier &C,
                    Position Then) {
  Carrier Copy{Into, std::move(Path), Ours};
  bool Whole = Copy.Path.empty() && C.Path.empty();
  bool BecomesRecord = Whole && isRaw(C.Root->getType()) && isRecordPointer(Into->getType());
  bool BecomesVisible = Copy.Path.empty() && isMacroLocal(C.Root) && !isMacroLocal(Into);
  if (BecomesRecord || BecomesVisible) {
    TrailEnd End;
    End.Local = Into;
    End.Loc = Loc;
    offer(End, Where);
  }
  add(std::move(Copy), Then);
}

void Trails::offer(TrailEnd End, const void *Where) {
  Rank Right = Ranks.lookup(Where);
  Right.NextTurn = NextTurn;
  Offers.push_back({End, Where, Right});
}

// ---- expressions

bool Trails::is(const Expr *LValue, const Carrier &C) const {
  LValue = stripped(LValue);
  if (auto *Ref = dyn_cast<DeclRefExpr>(LValue)) return Ref->getDecl() == C.Root;
  return !C.Path.empty() && rootLocal(LValue) == C.Root && pathText(LValue) == C.Path;
}

// Value is the block the carrier has: itself, through casts, one arm of ?:, a
// nested assignment. Interior: an address inside it, which only a macro's own
// local may stand for.
bool Trails::carries(const Expr *Value, const Carrier &C, bool &Interior) const {
  Value = stripped(Value);
  if (auto *Choice = dyn_cast<ConditionalOperator>(Value))
    return carries(Choice->getTrueExpr(), C, Interior) || carries(Choice->getFalseExpr(), C, Interior);
  if (auto *Choice = dyn_cast<BinaryConditionalOperator>(Value))
    return carries(Choice->getCommon(), C, Interior) || carries(Choice->getFalseExpr(), C, Interior);
  if (auto *Binary = dyn_cast<BinaryOperator>(Value)) {
    if (Binary->getOpcode() == BO_Comma) return carries(Binary->getRHS(), C, Interior);
    return Binary->getOpcode() == BO_Assign && (is(Binary->getLHS(), C) || carries(Binary->getRHS(), C, Interior));
  }
  if (auto *Call = dyn_cast<CallExpr>(Value)) {
    const Expr *Passed = passedThrough(Call);
    return Passed && carries(Passed, C, Interior);
  }
  if (auto *Address = dyn_cast<UnaryOperator>(Value); Address && FromMacro && Address->getOpcode() == UO_AddrOf) {
    const Expr *Base = reachedThrough(Address->getSubExpr());
    if (!Base || !carries(Base, C, Interior)) return false;
    return Interior = true;
  }
  return isDataPointer(Value->getType()) && is(Value, C);
}

} // namespace memscope
