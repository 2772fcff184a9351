// SPDX-License-Identifier: MIT
//
// Follows a block along the control flow of one function, from the local that
// gets it to the place that holds it: p->buf in tmp = f(); …; p->buf = tmp.
// The rule it carries out stands in docs/design.md, "Who holds a block". Reads
// the AST, changes nothing.
#ifndef MEMSCOPE_TRAIL_H
#define MEMSCOPE_TRAIL_H

#include "Options.h"
#include "clang/AST/ASTContext.h"
#include "clang/AST/Expr.h"
#include "clang/Analysis/CFG.h"
#include "llvm/ADT/DenseMap.h"
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace memscope {

// Where a block ends that a local got. Neither: the local is its holder.
struct TrailEnd {
  const clang::Expr *Place = nullptr;    // longer lived than the local: a field, global, element, *out
  const clang::VarDecl *Local = nullptr; // another local with more right: the record pointer, the user's own
  clang::SourceLocation Loc;

  explicit operator bool() const { return Place || Local; }
};

class Trails {
public:
  Trails(clang::ASTContext &Ctx, const Options &Opts, const clang::FunctionDecl *Function, clang::Stmt *Body)
      : Ctx(Ctx), Opts(Opts), Function(Function), Body(Body) {}

  // Root, or its member LValue if given, has the block from Start on: an
  // assignment, a call that got the address, or null for Root's declaration.
  TrailEnd follow(const clang::VarDecl *Root, const clang::Expr *LValue, const clang::Stmt *Start);

private:
  struct Rank { // the smaller, the more right to the block
    bool NextTurn = false;   // met only after a loop has come by the trail's begin again
    unsigned Conditions = 0; // it stands under
    unsigned Place = 0;      // in the source
    bool operator<(const Rank &O) const {
      return std::tie(NextTurn, Conditions, Place) < std::tie(O.NextTurn, O.Conditions, O.Place);
    }
  };

  enum Content { Ours, GivenBack, Another };

  struct Carrier { // a local, or a member of one: path "left.expr"
    const clang::VarDecl *Root;
    std::string Path;
    Content Has = Ours;
    bool operator<(const Carrier &O) const { return std::tie(Root, Path, Has) < std::tie(O.Root, O.Path, O.Has); }
  };
  struct Position {
    const clang::CFGBlock *Block = nullptr;
    unsigned Next = 0;
  };
  struct Step {
    Carrier Holds;
    Position At;
    bool NextTurn;
    bool operator<(const Step &O) const {
      return std::tie(At.Block, At.Next, NextTurn, Holds) < std::tie(O.At.Block, O.At.Next, O.NextTurn, O.Holds);
    }
  };

  bool prepare();
  TrailEnd best() const;
  void rank(const clang::Stmt *S, unsigned Conditions);
  void add(Carrier C, Position At);
  void run(const Step &From);
  bool pass(const clang::Stmt *S, const Carrier &C, Position Then);
  bool passWithout(const clang::Stmt *S, const Carrier &C, Position Then);
  bool passDeclaration(const clang::DeclStmt *Statement, const Carrier &C, Position Then);
  bool passCall(const clang::CallExpr *Call, const Carrier &C, Position Then);
  void stored(const clang::BinaryOperator *Assign, const Carrier &C, Position Then);
  void copied(const clang::VarDecl *Into, std::string Path, const void *Where, clang::SourceLocation Loc, const Carrier &C,
              Position Then);
  void offer(TrailEnd End, const void *Where);
  bool is(const clang::Expr *LValue, const Carrier &C) const;
  bool carries(const clang::Expr *Value, const Carrier &C, bool &Interior) const;

  clang::ASTContext &Ctx;
  const Options &Opts;
  const clang::FunctionDecl *Function;
  clang::Stmt *Body;
  bool Prepared = false;
  std::unique_ptr<clang::CFG> Graph;
  llvm::DenseMap<const void *, Position> Behind; // assignments, calls, declared variables
  llvm::DenseMap<const void *, Rank> Ranks;      // assignments, declared variables

  // of the trail being followed
  bool FromMacro = false;
  std::vector<Step> Work;
  std::set<Step> Seen;
  Position Begin;
  bool NextTurn = false; // of the step being taken
  struct Offer {
    TrailEnd End;
    const void *Where;
    Rank Right;
  };
  std::vector<Offer> Offers;
  std::set<const void *> Shared; // stores that may come when the first carrier has another block
  const clang::VarDecl *First = nullptr;
};

} // namespace memscope

#endif
