// SPDX-License-Identifier: MIT
//
// How blocks move inside one function body: which local variables are handed
// up to the caller, which only pass a block on to a field, what a void pointer
// is used as, and whether the whole function is a wrapper. Flow-insensitive:
// one pass over the body in source order. Reads the AST, changes nothing.
#ifndef MEMSCOPE_BODYFLOW_H
#define MEMSCOPE_BODYFLOW_H

#include "Options.h"
#include "clang/AST/ASTContext.h"
#include "clang/AST/Expr.h"
#include "clang/AST/ExprCXX.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"

namespace memscope {

class BodyFlow {
public:
  BodyFlow(clang::ASTContext &Ctx, const clang::FunctionDecl *Function, const clang::Stmt *Body);

  // The block in this local goes to the caller: returned, stored through an
  // out-parameter, or copied into something that is.
  bool isUp(const clang::VarDecl *Var) const;

  // Store is the one place where a local hands its fresh block on to a longer
  // lived place (p->buf = tmp), with no other call in between that could be
  // mistaken: that place names the block, not the local.
  const clang::VarDecl *handedOnBy(const clang::BinaryOperator *Store) const;
  bool isHandedOn(const clang::VarDecl *Var) const;

  // What a void* local is used as: the pointee of its best cast; null if none.
  clang::QualType usedAs(const clang::VarDecl *Var) const;

  // The call whose result the local got first, for the site's callee.
  const clang::Expr *source(const clang::VarDecl *Var) const;

  // The block is handed up from an offset only: the local is its header.
  bool isHeader(const clang::VarDecl *Var) const;

  // The same memory, by its text, is also returned: p[0] = f(); return p[0].
  bool isReturnedPlace(const clang::Expr *LValue) const;

  // Returns, or hands out through a parameter, on every path a block it has
  // just obtained (NULL aside) and keeps it nowhere else. Just obtained: if
  // none of wrapperCalls(), which come in between, can allocate.
  bool isWrapper() const { return Wrapper; }
  llvm::ArrayRef<const clang::FunctionDecl *> wrapperCalls() const { return Between; }

  // *out, out[0] and a reference parameter of pointer type.
  static const clang::ParmVarDecl *outParameter(const clang::Expr *LValue);

  // The local variable an lvalue is (a part of, by dots), else null.
  static const clang::VarDecl *rootLocal(const clang::Expr *LValue);

private:
  enum Leaf { Null = 1, Fresh = 2, Other = 4 };

  struct Local {
    bool Up = false;     // itself returned or stored through an out-parameter
    bool Derived = true; // so far returned only as an interior pointer
    bool Inner = false;  // the value of a statement expression: its destination names it
    bool Stored = false; // kept in a field, an element or a global
    bool Passed = false; // parameter: its first value is the caller's
    unsigned Got = 0;    // Leaf bits of everything assigned to it
    unsigned FirstFeed = ~0u;
    const clang::Expr *Source = nullptr;
    clang::QualType Used;
    unsigned UsedRank = 0;
    llvm::SmallVector<const clang::VarDecl *, 2> Into; // copied into these
    llvm::SmallVector<const clang::VarDecl *, 2> From; // copied from these
    llvm::SmallVector<std::pair<const clang::BinaryOperator *, unsigned>, 2> Stores; // and the events before each
  };

  struct Value { // a leaf of an expression's value
    const clang::Expr *E;
    const clang::VarDecl *Var; // a local, if that is what it is
    bool Derived;              // moved by an offset
  };
  using Values = llvm::SmallVector<Value, 4>;

  // A call that may allocate and comes back, in source order.
  struct Event {
    const clang::FunctionDecl *Callee; // null through a pointer
    const clang::VarDecl *Feeds;       // the local that gets its result
    bool HandsOut;                     // its value may be a block
    unsigned NullSince;                // events before the if that found the block to be NULL; 0: none did
  };

  void scan(const clang::Stmt *S, bool Certain);
  void scanIf(const clang::IfStmt *If, bool Certain);
  void scanDecl(const clang::DeclStmt *D);
  void scanReturn(const clang::Expr *E);
  void scanAssign(const clang::BinaryOperator *Assign, bool Certain);
  void scanCall(const clang::CallExpr *Call);
  void scanCast(const clang::CastExpr *Cast);
  void assign(const clang::VarDecl *Var, const clang::Expr *E, bool Certain);
  void values(const clang::Expr *E, bool Derived, Values &Out) const;
  unsigned leafBits(const Value &V) const;
  unsigned settled(const clang::VarDecl *Var, unsigned Depth = 0) const;
  bool storedAnywhere(const clang::VarDecl *Var, unsigned Depth = 0) const;
  void propagate();
  void addPlace(const Value &V);
  bool isFedUndisturbed(const clang::VarDecl *Var, unsigned Until) const;
  bool isBareBlock(const clang::VarDecl *Var) const;
  void findHandedOn();
  void decideWrapper();
  unsigned firstFeed(const clang::VarDecl *Var, unsigned Depth = 0) const;
  bool isLocal(const clang::VarDecl *Var) const;

  clang::ASTContext &Ctx;
  const clang::FunctionDecl *Function;
  const clang::DeclContext *Context;
  llvm::DenseMap<const clang::VarDecl *, Local> Locals;
  llvm::SmallVector<const clang::VarDecl *, 16> Order; // Locals by first sight
  llvm::DenseMap<const clang::BinaryOperator *, const clang::VarDecl *> HandedOn;
  llvm::SmallVector<Event, 32> Events;
  unsigned NullSince = 0; // of the outermost such if around us
  llvm::DenseMap<const clang::Expr *, const clang::VarDecl *> FeedOf;
  Values Returned, HandedOut;
  unsigned LastReturn = 0; // events before it
  llvm::SmallVector<std::string, 2> ReturnedPlaces;
  bool Wrapper = false;
  llvm::SmallVector<const clang::FunctionDecl *, 4> Between;

  Local &local(const clang::VarDecl *Var);
  const Local *find(const clang::VarDecl *Var) const;
};

} // namespace memscope

#endif
