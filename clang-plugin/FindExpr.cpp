// SPDX-License-Identifier: MIT
//
// Walks an expression down to its operands: through casts, both arms of ?:, the
// right of a comma, to the calls that produce the value. See Finder.h.
#include "Calls.h"
#include "Compat.h"
#include "Finder.h"
#include "HolderText.h"
#include "LValue.h"
#include "clang/AST/ExprConcepts.h"
#include "clang/AST/ExprCXX.h"
#include "clang/AST/StmtCXX.h"

using namespace clang;

namespace memscope {

static const Dest Temporary(MS_SITE_TEMP);
static const Dest Discarded(MS_SITE_DISCARD);

// Operands that are never evaluated, or known before the program runs.
static bool isUnevaluated(const Stmt *S) {
  return isa<UnaryExprOrTypeTraitExpr>(S) || isa<CXXNoexceptExpr>(S) || isa<CXXTypeidExpr>(S) ||
         isa<RequiresExpr>(S) || isa<ConstantExpr>(S) || isa<OffsetOfExpr>(S) || isa<PseudoObjectExpr>(S) ||
         isa<OpaqueValueExpr>(S) || isa<ArrayInitLoopExpr>(S) || isa<BlockExpr>(S) || isa<RecoveryExpr>(S) ||
         isa<CXXDefaultArgExpr>(S) || isa<CXXDefaultInitExpr>(S) || isa<TypeTraitExpr>(S);
}

void Finder::walk(Stmt *&Slot, const Dest &D) {
  Stmt *S = Slot;
  if (!S || isUnevaluated(S)) return;
  if (!isa<Expr>(S)) return walkStatement(Slot);
  if (auto *Cast = dyn_cast<CastExpr>(S)) return walkCast(Cast, D);
  if (isa<ParenExpr>(S) || isa<FullExpr>(S) || isa<CXXBindTemporaryExpr>(S) || isa<MaterializeTemporaryExpr>(S) ||
      isa<CXXStdInitializerListExpr>(S) || isa<CompoundLiteralExpr>(S) || isa<SubstNonTypeTemplateParmExpr>(S)) {
    for (Stmt *&Child : S->children()) walk(Child, D);
    return;
  }
  if (isa<CallExpr>(S)) return walkCall(Slot, D);
  if (isa<CXXNewExpr>(S)) return walkNew(Slot, D);
  if (auto *Delete = dyn_cast<CXXDeleteExpr>(S)) return findDelete(Delete);
  if (auto *Construct = dyn_cast<CXXConstructExpr>(S)) return walkConstruct(Construct, D);
  if (auto *Binary = dyn_cast<BinaryOperator>(S)) return walkBinary(Binary, D);
  if (auto *Unary = dyn_cast<UnaryOperator>(S)) return walkUnary(Unary, D);
  if (isa<StmtExpr>(S)) return walkStatementExpr(Slot, D);
  if (auto *List = dyn_cast<InitListExpr>(S)) return walkList(List, D);
  if (auto *Lambda = dyn_cast<LambdaExpr>(S)) return walkLambda(Lambda);
  if (isa<MemberExpr>(S) || isa<ArraySubscriptExpr>(S)) return walkPlace(Slot, Temporary);
  if (auto *Choice = dyn_cast<AbstractConditionalOperator>(S)) {
    // a ?: b evaluates a once, as value and condition; its other mentions refer to that.
    auto *Elvis = dyn_cast<BinaryConditionalOperator>(Choice);
    for (Stmt *&Child : Choice->children()) {
      if (Elvis && Child != Elvis->getCommon() && Child != Elvis->getFalseExpr()) continue;
      walk(Child, !Elvis && Child == Choice->getCond() ? Temporary : D);
    }
    return;
  }
  if (auto *Generic = dyn_cast<GenericSelectionExpr>(S)) {
    for (Stmt *&Child : Generic->children())
      if (Child && Child == Generic->getResultExpr()) walk(Child, D);
    return;
  }
  if (auto *Choose = dyn_cast<ChooseExpr>(S)) {
    for (Stmt *&Child : Choose->children())
      if (Child && Child == Choose->getChosenSubExpr()) walk(Child, D);
    return;
  }
  if (auto *Suspend = dyn_cast<CoroutineSuspendExpr>(S)) {
    // The other children refer to the common one.
    for (Stmt *&Child : Suspend->children())
      if (Child && Child == Suspend->getCommonExpr()) walk(Child, Temporary);
    return;
  }
  walkChildren(S, Temporary);
}

void Finder::walkCast(CastExpr *Cast, const Dest &D) {
  Stmt *&Operand = *Cast->child_begin();
  switch (Cast->getCastKind()) {
  case CK_LValueToRValue: // x = (struct s){…}
    if (isa<CompoundLiteralExpr>(cast<Expr>(Operand)->IgnoreParens())) return walk(Operand, D);
    return walkPlace(Operand, Temporary);
  case CK_LValueBitCast: return walkPlace(Operand, Temporary);
  case CK_ArrayToPointerDecay: return walkPlace(Operand, D);
  default: break;
  }
  if (isa<ExplicitCastExpr>(Cast) && Cast->getType()->isPointerType() && D.Cast.isNull()) {
    Dest Inner = D;
    Inner.Cast = Cast->getType();
    return walk(Operand, Inner);
  }
  if (Cast->getCastKind() == CK_ToVoid) return walk(Operand, Discarded);
  walk(Operand, D);
}

void Finder::walkBinary(BinaryOperator *Binary, const Dest &D) {
  auto Children = Binary->children();
  Stmt *&Left = *Children.begin();
  Stmt *&Right = *std::next(Children.begin());
  if (Binary->getOpcode() == BO_Assign) {
    walkPlace(Left, Temporary);
    bool OuterHolds = D.LValue && !D.Root && !D.Type.isNull() && isDataPointer(D.Type);
    if (OuterHolds && !rootLocal(Binary->getLHS())) { // p->a = q->b = value: p->a
      Dest First = D;
      First.OuterType = Binary->getLHS()->getType();
      First.OutParameter |= outParameter(Binary->getLHS()) != nullptr;
      return walk(Right, First);
    }
    Dest To;
    To.Kind = MS_SITE_ASSIGN;
    To.LValue = Binary->getLHS();
    To.Start = Binary;
    To.Type = Binary->getLHS()->getType();
    To.OuterType = D.Type;
    To.Root = rootLocal(To.LValue);
    To.OutParameter = outParameter(To.LValue);
    return walk(Right, To);
  }
  if (Binary->getOpcode() == BO_Comma) {
    walk(Left, Discarded);
    return walk(Right, D);
  }
  bool Offset = Binary->isAdditiveOp() && Binary->getType()->isPointerType();
  Dest Moved = D;
  Moved.Returned = false; // the sum is computed behind the call
  walk(Left, Offset && Binary->getLHS()->getType()->isPointerType() ? Moved : Temporary);
  walk(Right, Offset && Binary->getRHS()->getType()->isPointerType() ? Moved : Temporary);
}

void Finder::walkUnary(UnaryOperator *Unary, const Dest &D) {
  Stmt *&Operand = *Unary->child_begin();
  switch (Unary->getOpcode()) {
  case UO_AddrOf:
    if (isa<CompoundLiteralExpr>(cast<Expr>(Operand)->IgnoreParens())) { // p = &(struct s){.x = …}: p->x
      Dest Target = D;
      Target.Text = "*" + D.text(Unary);
      Target.LValue = nullptr;
      return walk(Operand, Target);
    }
    return walkPlace(Operand, D);
  case UO_Extension: return walk(Operand, D);
  case UO_Deref: {
    Dest Through = Temporary;
    Through.Reached = true;
    return walk(Operand, Through);
  }
  default: return walk(Operand, Temporary);
  }
}

// An lvalue. D is where its address goes, or a temporary: the pointer it is
// reached through leads to the same block.
void Finder::walkPlace(Stmt *&Slot, const Dest &D) {
  Stmt *S = Slot;
  if (!S) return;
  Dest Through = D;
  Through.Returned = false;
  Through.Reached = true;
  if (isa<ParenExpr>(S) || isa<FullExpr>(S) || isa<MaterializeTemporaryExpr>(S)) return walkPlace(*S->child_begin(), D);
  if (auto *Cast = dyn_cast<CastExpr>(S))
    if (Cast->isLValue() && !isa<CallExpr>(Cast->getSubExpr())) return walkPlace(*S->child_begin(), D);
  if (auto *Member = dyn_cast<MemberExpr>(S)) {
    if (Member->isArrow()) return walk(*S->child_begin(), Through);
    return walkPlace(*S->child_begin(), D);
  }
  if (auto *Subscript = dyn_cast<ArraySubscriptExpr>(S)) {
    for (Stmt *&Child : Subscript->children()) walk(Child, Child == Subscript->getBase() ? Through : Temporary);
    return;
  }
  if (auto *Deref = dyn_cast<UnaryOperator>(S))
    if (Deref->getOpcode() == UO_Deref) return walk(*S->child_begin(), Through);
  if (isa<CompoundLiteralExpr>(S)) return walk(Slot, D);
  walk(Slot, D.Kind == MS_SITE_INIT && isa<CXXConstructExpr>(S) ? D : Temporary);
}

// x = (struct s){ .p = call(), .list = { call() } }: x.p, x.list[0]
void Finder::walkList(InitListExpr *List, const Dest &D) {
  if (List->isTransparent()) {
    for (Stmt *&Child : List->children()) walk(Child, D);
    return;
  }
  const RecordDecl *Record = List->getType()->getAsRecordDecl();
  if (!Record && !List->getType()->isArrayType()) { // T *p = { call() }
    for (Stmt *&Child : List->children()) walk(Child, D);
    return;
  }
  // Walking a list whose holder text nobody needs would cost more than the rest.
  std::string Base = D.text(List);
  auto Element = [&](Stmt *&Slot, std::string Text, QualType Type) {
    Dest To;
    To.Kind = D.Kind;
    To.Text = std::move(Text);
    To.Type = Type;
    To.Root = D.LValue ? rootLocal(D.LValue) : D.Root;
    To.OutParameter = D.OutParameter;
    walk(Slot, To);
  };
  auto Slot = List->child_begin();
  if (!Record) {
    const ArrayType *Array = Ctx.getAsArrayType(List->getType());
    for (unsigned I = 0; Slot != List->child_end(); ++I, ++Slot)
      if (*Slot && !isa<IntegerLiteral>(*Slot))
        Element(*Slot, Base + "[" + std::to_string(I) + "]", Array->getElementType());
    return;
  }
  if (auto *Class = dyn_cast<CXXRecordDecl>(Record))
    for (unsigned I = 0; I < Class->getNumBases() && Slot != List->child_end(); ++I) walk(*Slot++, D);
  for (const FieldDecl *Field : Record->fields()) {
    if (Slot == List->child_end()) return;
    if (compat::isUnnamedBits(Field)) continue;
    if (Record->isUnion()) Field = List->getInitializedFieldInUnion();
    if (!Field) return;
    std::string Text = Field->getDeclName() ? memberText(Base, Field->getName()) : Base;
    Element(*Slot++, std::move(Text), Field->getType());
  }
}

// ({ T *p = call(); …; p; }): the inner p names the block on its way, the
// destination of the whole expression names it for good.
void Finder::walkStatementExpr(Stmt *&Slot, const Dest &D) {
  auto *Statement = cast<StmtExpr>(Slot);
  CompoundStmt *Body = Statement->getSubStmt();
  if (Body->body_empty()) return;
  for (Stmt *&Child : Body->children())
    if (Child == Body->body_back() && isa<Expr>(Child))
      walk(Child, D);
    else
      walkStatement(Child);
  auto *Last = dyn_cast<Expr>(Body->body_back());
  if (!Last || !isDataPointer(Statement->getType())) return;
  const VarDecl *Var = rootLocal(Last);
  if (!Var || !Flow || !Flow->source(Var) || D.Kind == MS_SITE_DISCARD || D.Kind == MS_SITE_TEMP) return;
  auto *Call = dyn_cast<CallExpr>(stripped(Flow->source(Var)));
  Site S = siteFor(Statement, D, Call ? calleeText(Call) : "operator new");
  add(&Slot, MarkerKind::Mark, std::move(S));
}

} // namespace memscope
