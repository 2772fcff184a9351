// SPDX-License-Identifier: MIT
//
// Finds every place in a function body (or a global's initialiser) a block may
// go to or be freed at, and writes down what has to change. It changes nothing
// itself: Marker.cpp does, once the whole body has been looked at.
//
//   FindDest.cpp   statements: where does each value go
//   FindExpr.cpp   expressions: and each operand
//   FindCall.cpp   calls: their value, their &p arguments
//   FindNew.cpp    new, constructors, member initialisers, smart pointers
//   FindFree.cpp   free, delete and functions that sound like it
//   FindHolder.cpp from a destination to the holder and its site
#ifndef MEMSCOPE_FINDER_H
#define MEMSCOPE_FINDER_H

#include "BodyFlow.h"
#include "Dest.h"
#include "Options.h"
#include "Place.h"
#include "Site.h"
#include "Trail.h"
#include "clang/AST/StmtCXX.h"
#include <deque>

namespace memscope {

enum class MarkerKind { Mark, Out, Freed };

// Wrap the expression in Slot in a marker call for Site.
struct Change {
  clang::Stmt **Slot;
  MarkerKind Kind;
  uint32_t Site;
};

// A constructor's initialiser can only be replaced as a whole object.
struct InitializerChange {
  clang::CXXConstructorDecl *Constructor;
  unsigned Index;
  clang::Stmt *Init; // Changes point here
};

class Finder {
public:
  Finder(clang::ASTContext &Ctx, const Options &Opts, Places &Where, SiteTable &Sites)
      : Ctx(Ctx), Opts(Opts), Where(Where), Sites(Sites) {}

  void findIn(clang::FunctionDecl *Function);
  void findIn(clang::VarDecl *Global);

  std::vector<Change> Changes;
  std::deque<InitializerChange> Initializers; // a deque: Changes point into it

  // Found inside the bodies; they come by no other callback.
  std::vector<clang::FunctionDecl *> Nested;

private:
  // FindDest.cpp
  void walkStatement(clang::Stmt *&Slot);
  void walkChildren(clang::Stmt *S, const Dest &D);
  void walkDeclaration(clang::DeclStmt *D);
  void walkVariable(clang::VarDecl *Var);
  void walkReturn(clang::ReturnStmt *Return);
  void walkLambda(clang::LambdaExpr *Lambda);
  void walkCoroutine(clang::CoroutineBodyStmt *Coroutine);
  Dest destOf(clang::VarDecl *Var);

  // FindExpr.cpp
  void walk(clang::Stmt *&Slot, const Dest &D);
  void walkCast(clang::CastExpr *Cast, const Dest &D);
  void walkBinary(clang::BinaryOperator *Binary, const Dest &D);
  void walkUnary(clang::UnaryOperator *Unary, const Dest &D);
  void walkPlace(clang::Stmt *&Slot, const Dest &D);
  void walkList(clang::InitListExpr *List, const Dest &D);
  void walkStatementExpr(clang::Stmt *&Slot, const Dest &D);

  // FindCall.cpp
  void walkCall(clang::Stmt *&Slot, const Dest &D);
  void walkArguments(clang::CallExpr *Call, bool TailCall);
  Dest argumentDest(const clang::CallExpr *Call, unsigned Number, clang::QualType Parameter);
  bool findOut(clang::Stmt *&Slot, const clang::CallExpr *Call, clang::QualType Parameter);
  bool wantsSite(const clang::CallExpr *Call, const Dest &D);

  // FindNew.cpp
  void walkNew(clang::Stmt *&Slot, const Dest &D);
  void walkConstruct(clang::CXXConstructExpr *Construct, const Dest &D);
  void walkInitializers(clang::CXXConstructorDecl *Constructor);
  bool findReset(clang::CallExpr *Call);
  void findDefault(clang::Stmt **Slot, const clang::CXXDefaultInitExpr *Default, const Dest &D);

  // FindFree.cpp
  void findFreed(clang::CallExpr *Call, bool TailCall);
  void findDelete(clang::CXXDeleteExpr *Delete);
  void addFreed(clang::Stmt **Slot, const clang::Expr *Freed, std::string Callee, uint8_t Flags, clang::SourceLocation Loc);

  // FindHolder.cpp
  Site siteFor(const clang::Expr *Value, const Dest &D, std::string Callee);
  TrailEnd endOf(const Dest &D) const;
  bool goesUp(const Dest &D) const;

  void add(clang::Stmt **Slot, MarkerKind Kind, Site S) { Changes.push_back({Slot, Kind, Sites.add(std::move(S))}); }

  clang::ASTContext &Ctx;
  const Options &Opts;
  Places &Where;
  SiteTable &Sites;

  // of the body being looked at
  clang::FunctionDecl *Function = nullptr;
  const BodyFlow *Flow = nullptr;
  Trails *Ways = nullptr;
  bool InWrapper = false;
  uint32_t FunctionList = 0; // SiteTable: its name
  uint32_t WrapperList = 0;  // SiteTable: in a wrapper only if none of these can allocate
};

} // namespace memscope

#endif
