// SPDX-License-Identifier: MIT
//
// How blocks move inside one function body: which local variables are handed
// up to the caller, which move on at all, and whether the whole function is a
// wrapper. Flow-insensitive: one pass over the body in source order; Trail.h
// follows the single block. Reads the AST, changes nothing.
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

  // Copied or stored anywhere: worth following to its end.
  bool movesOn(const clang::VarDecl *Var) const;

  // The value of a statement expression: whatever receives that names the block.
  bool isInner(const clang::VarDecl *Var) const;

  // The one type a void* local is converted to: that pointee; null if none or several.
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

private:
  enum Leaf { Null = 1, Fresh = 2, Other = 4 };

  struct Local {
    bool Up = false;     // itself returned or stored through an out-parameter
    bool Derived = true; // so far returned only as an interior pointer
    bool Inner = false;  // the value of a statement expression
    bool Moves = false;  // copied to another local or stored
    bool Stored = false; // kept in a field, an element or a global
    bool Mixed = false;  // a void pointer converted to several others
    clang::QualType Used; // the pointee it is converted to
    bool Passed = false; // parameter: its first value is the caller's
    unsigned Got = 0;    // Leaf bits of everything assigned to it
    unsigned FirstFeed = ~0u;
    const clang::Expr *Source = nullptr;
    llvm::SmallVector<const clang::VarDecl *, 2> Into; // copied into these
    llvm::SmallVector<const clang::VarDecl *, 2> From; // copied from these
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
  bool isBareBlock(const clang::VarDecl *Var) const;
  void decideWrapper();
  unsigned firstFeed(const clang::VarDecl *Var, unsigned Depth = 0) const;
  bool isLocal(const clang::VarDecl *Var) const;

  clang::ASTContext &Ctx;
  const clang::FunctionDecl *Function;
  const clang::DeclContext *Context;
  llvm::DenseMap<const clang::VarDecl *, Local> Locals;
  llvm::SmallVector<const clang::VarDecl *, 16> Order; // Locals by first sight
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
