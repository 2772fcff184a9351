// SPDX-License-Identifier: MIT
//
// Walks a body's statements and hands each value the destination it has there.
// See Finder.h.
#include "Finder.h"
#include "HolderText.h"
#include "clang/AST/Attr.h"
#include "clang/AST/ExprCXX.h"
#include "clang/AST/StmtCXX.h"

using namespace clang;

namespace memscope {

void Finder::findIn(FunctionDecl *F) {
  Stmt *Body = F->getBody();
  BodyFlow BodyOf(Ctx, F, Body);
  Trails TrailsOf(Ctx, Opts, F, Body);
  Function = F;
  Flow = &BodyOf;
  Ways = &TrailsOf;
  InWrapper = BodyOf.isWrapper();
  FunctionList = Ctx.getLangOpts().CPlusPlus ? Sites.addList({functionText(F)}) : 0;
  WrapperList = 0;
  if (F->getIdentifier() && Opts.isWrapper(F->getName())) {
    InWrapper = true;
  } else if (InWrapper && !BodyOf.wrapperCalls().empty()) {
    std::vector<std::string> Names;
    for (const FunctionDecl *Callee : BodyOf.wrapperCalls()) {
      if (!Callee->isExternC() && Ctx.getLangOpts().CPlusPlus) InWrapper = false;
      Names.push_back(Callee->getNameAsString());
    }
    if (InWrapper) WrapperList = Sites.addList(std::move(Names));
  }
  if (auto *Constructor = dyn_cast<CXXConstructorDecl>(F)) walkInitializers(Constructor);
  walkStatement(Body);
  Function = nullptr;
  Flow = nullptr;
  Ways = nullptr;
}

void Finder::findIn(VarDecl *Global) {
  BodyFlow Initialiser(Ctx, nullptr, Global->getInit());
  Flow = &Initialiser;
  FunctionList = 0;
  InWrapper = false;
  walkVariable(Global);
  Flow = nullptr;
}

// ---- statements

void Finder::walkStatement(Stmt *&Slot) {
  Stmt *S = Slot;
  if (!S) return;
  if (isa<Expr>(S)) return walk(Slot, Dest(MS_SITE_DISCARD));
  if (auto *D = dyn_cast<DeclStmt>(S)) return walkDeclaration(D);
  if (auto *Return = dyn_cast<ReturnStmt>(S)) return walkReturn(Return);
  if (auto *Attributed = dyn_cast<AttributedStmt>(S)) {
    for (const Attr *A : Attributed->getAttrs())
      if (isa<MustTailAttr>(A)) return; // nothing may stand between the call and its return
    return walkStatement(*Attributed->child_begin());
  }
  if (auto *Return = dyn_cast<CoreturnStmt>(S)) {
    // The operand is part of the promise call, which alone is emitted.
    for (Stmt *&Child : Return->children())
      if (Child && Child == Return->getPromiseCall()) walk(Child, Dest());
    return;
  }
  if (auto *Coroutine = dyn_cast<CoroutineBodyStmt>(S)) return walkCoroutine(Coroutine);
  walkChildren(S, Dest());
}

// The frame is allocated and freed by calls that stand nowhere in the source.
void Finder::walkCoroutine(CoroutineBodyStmt *Coroutine) {
  Dest Frame(MS_SITE_INIT);
  Frame.Text = "coroutine frame";
  for (Stmt *&Child : Coroutine->children()) {
    if (!Child || Child == Coroutine->getDeallocate()) continue;
    if (Child == Coroutine->getAllocate())
      walk(Child, Frame);
    else
      walkStatement(Child);
  }
}

// Children of a statement: its conditions are values, the rest statements.
void Finder::walkChildren(Stmt *S, const Dest &D) {
  const Stmt *Condition = nullptr;
  if (auto *If = dyn_cast<IfStmt>(S)) Condition = If->getCond();
  if (auto *While = dyn_cast<WhileStmt>(S)) Condition = While->getCond();
  if (auto *Do = dyn_cast<DoStmt>(S)) Condition = Do->getCond();
  if (auto *For = dyn_cast<ForStmt>(S)) Condition = For->getCond();
  if (auto *Switch = dyn_cast<SwitchStmt>(S)) Condition = Switch->getCond();
  for (Stmt *&Child : S->children()) {
    if (!Child) continue;
    if (Child == Condition || isa<Expr>(S))
      walk(Child, D);
    else
      walkStatement(Child);
  }
}

void Finder::walkDeclaration(DeclStmt *Statement) {
  for (Decl *D : Statement->decls()) {
    if (auto *Var = dyn_cast<VarDecl>(D)) walkVariable(Var);
    // Methods of local classes come by no other way.
    if (auto *Record = dyn_cast<CXXRecordDecl>(D))
      for (CXXMethodDecl *Method : Record->methods())
        if (Method->doesThisDeclarationHaveABody()) Nested.push_back(Method);
  }
}

Dest Finder::destOf(VarDecl *Var) {
  Dest D;
  D.Kind = MS_SITE_INIT;
  D.Text = Var->getDeclName() ? Var->getNameAsString() : "…";
  if (Var->isStaticDataMember())
    if (auto *Record = dyn_cast<CXXRecordDecl>(Var->getDeclContext()))
      D.Text = Record->getNameAsString() + "::" + D.Text;
  D.Type = Var->getType();
  if (Var->hasLocalStorage() && !Var->getType()->isReferenceType()) D.Root = Var;
  return D;
}

void Finder::walkVariable(VarDecl *Var) {
  if (!Var->hasInit() || Var->isConstexpr() || Var->isInvalidDecl() || isa<ParmVarDecl>(Var)) return;
  // What is known before the program runs must stay so.
  if (Var->hasGlobalStorage() && Ctx.getLangOpts().CPlusPlus && Var->hasConstantInitialization()) return;
  Stmt **Init = Var->getInitAddress();
  if (!Init || !*Init) return;
  Dest D = destOf(Var);
  // T &r = *new T
  if (Var->getType()->isReferenceType()) return walkPlace(*Init, D);
  walk(*Init, D);
}

void Finder::walkReturn(ReturnStmt *Return) {
  if (!Return->getRetValue()) return;
  Dest D(MS_SITE_RETURN);
  D.Text = "return";
  D.Returned = true;
  if (Function) D.Type = Function->getReturnType();
  walk(*Return->child_begin(), D);
}

void Finder::walkLambda(LambdaExpr *Lambda) {
  auto Init = Lambda->child_begin();
  for (const LambdaCapture &Capture : Lambda->captures()) {
    if (Capture.capturesVariable() && Lambda->isInitCapture(&Capture)) {
      if (auto *Var = dyn_cast<VarDecl>(Capture.getCapturedVar())) {
        Dest D = destOf(Var);
        D.Root = nullptr; // a field of the closure
        if (*Init) walk(*Init, D);
      }
    }
    ++Init;
  }
  if (CXXMethodDecl *Operator = Lambda->getCallOperator())
    if (!Operator->isDependentContext()) Nested.push_back(Operator);
}

} // namespace memscope
