// SPDX-License-Identifier: MIT
//
// new in all its forms, constructors and their initialisers, and classes that
// own what they are given: std::unique_ptr<T> p(new T) goes to p.
#include "Calls.h"
#include "Finder.h"
#include "HolderText.h"
#include "LValue.h"
#include "clang/AST/DeclCXX.h"

using namespace clang;

namespace memscope {

void Finder::walkNew(Stmt *&Slot, const Dest &D) {
  auto *New = cast<CXXNewExpr>(Slot);
  for (Stmt *&Child : New->children()) {
    if (!Child) continue;
    if (auto *Construct = dyn_cast<CXXConstructExpr>(Child))
      walkConstruct(Construct, Dest());
    else
      walk(Child, Dest());
  }
  if (!isAllocatingNew(New)) return;
  Site S = siteFor(New, D, New->isArray() ? "operator new[]" : "operator new");
  if (auto *Method = dyn_cast<CXXMethodDecl>(New->getOperatorNew()))
    S.Callee = Method->getParent()->getQualifiedNameAsString() + "::" + S.Callee;
  S.Flags |= MS_SITE_NEW;
  add(&Slot, MarkerKind::Mark, std::move(S));
}

// A pointer that a smart pointer is built from goes where the smart pointer goes.
void Finder::walkConstruct(CXXConstructExpr *Construct, const Dest &D) {
  CXXConstructorDecl *Constructor = Construct->getConstructor();
  const CXXRecordDecl *Record = Constructor->getParent();
  bool Through = Constructor->isCopyOrMoveConstructor() || isSmartPointer(Record);
  unsigned Number = 0;
  for (Stmt *&Child : Construct->children()) {
    ++Number;
    if (!Child || isa<DeclRefExpr>(Child)) continue;
    if (Through && Number == 1) {
      Dest Into = D;
      Into.Returned = false;
      Into.Type = QualType(); // of the class, not of the pointer
      walk(Child, Into);
      continue;
    }
    Dest Argument;
    Argument.Kind = MS_SITE_ARG;
    Argument.Text = argumentText(Record->getNameAsString(), Number);
    if (Number <= Constructor->getNumParams()) Argument.Type = Constructor->getParamDecl(Number - 1)->getType();
    if (!Argument.Type.isNull() && !Argument.Type->isAnyPointerType()) Argument.Type = QualType();
    walk(Child, Argument);
  }
}

// p.reset(new T): p
bool Finder::findReset(CallExpr *Call) {
  auto *MemberCall = dyn_cast<CXXMemberCallExpr>(Call);
  if (!MemberCall || MemberCall->getNumArgs() < 1) return false;
  const CXXMethodDecl *Method = MemberCall->getMethodDecl();
  if (!Method || !Method->getIdentifier() || Method->getName() != "reset") return false;
  if (!isSmartPointer(MemberCall->getRecordDecl())) return false;
  Dest D;
  D.Kind = MS_SITE_ASSIGN;
  D.LValue = MemberCall->getImplicitObjectArgument();
  D.Root = rootLocal(D.LValue);
  auto Child = Call->child_begin();
  for (++Child; Child != Call->child_end(); ++Child) walk(*Child, D);
  return true;
}

void Finder::walkInitializers(CXXConstructorDecl *Constructor) {
  unsigned Index = 0;
  for (CXXCtorInitializer *Initializer : Constructor->inits()) {
    unsigned Here = Index++;
    if (!Initializer->getInit()) continue;
    Dest D;
    if (FieldDecl *Field = Initializer->getAnyMember()) {
      D.Kind = MS_SITE_INIT;
      D.Text = Field->getNameAsString();
      D.Type = Field->getType();
    }
    Initializers.push_back({Constructor, Here, Initializer->getInit()});
    size_t Before = Changes.size();
    Stmt *&Init = Initializers.back().Init;
    if (auto *Default = dyn_cast<CXXDefaultInitExpr>(Init))
      findDefault(&Init, Default, D);
    else
      walk(Init, D);
    bool Replaced = false; // changes below the top reach it in place
    for (size_t I = Before; I < Changes.size(); ++I) Replaced |= Changes[I].Slot == &Init;
    if (!Replaced) Initializers.pop_back();
  }
}

// T *p = new T; as a member's default: each constructor evaluates it anew, so
// each wraps it as a whole.
void Finder::findDefault(Stmt **Slot, const CXXDefaultInitExpr *Default, const Dest &D) {
  const Expr *Value = stripped(Default->getExpr());
  if (auto *Braces = dyn_cast<InitListExpr>(Value); Braces && Braces->getNumInits() == 1)
    Value = stripped(Braces->getInit(0));
  if (!isDataPointer(Default->getType())) return;
  auto *New = dyn_cast<CXXNewExpr>(Value);
  auto *Call = dyn_cast<CallExpr>(Value);
  if (!(New && isAllocatingNew(New)) && !(Call && wantsSite(Call, D))) return;
  Site S = siteFor(Value, D, Call ? calleeText(Call) : New->isArray() ? "operator new[]" : "operator new");
  if (New) S.Flags |= MS_SITE_NEW;
  add(Slot, MarkerKind::Mark, std::move(S));
}

} // namespace memscope
