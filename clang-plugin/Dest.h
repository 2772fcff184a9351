// SPDX-License-Identifier: MIT
//
// Where the value of an expression goes. Handed down by the Finder from
// statement to operand: through casts, both arms of ?:, the right of a comma.
#ifndef MEMSCOPE_DEST_H
#define MEMSCOPE_DEST_H

#include "BodyFlow.h"
#include "memscope/abi.h"
#include "clang/AST/Expr.h"
#include <string>

namespace memscope {

struct Dest {
  Dest(ms_site_kind Kind = MS_SITE_TEMP) : Kind(Kind) {}

  ms_site_kind Kind;
  const clang::Expr *LValue = nullptr; // of an assignment
  std::string Text;                    // of anything else: variable, "return", "f(…, #2)", "x.list[2]"
  clang::QualType Type;                // declared type of what receives the value
  clang::QualType Cast;                // outermost explicit cast on the way to the operand
  clang::QualType OuterType;           // of x in x = y = value
  const clang::VarDecl *Root = nullptr; // the local variable that receives it, or a part of it
  const clang::Stmt *Start = nullptr;   // the assignment or call after which Root has it; null: its declaration
  bool OutParameter = false;           // the caller receives it through a parameter
  bool Returned = false;               // as the operand of return itself: its call may be a tail call
  bool Reached = false;                // only to reach something behind it: f()->x

  std::string text(const clang::Expr *Value) const;
};

// The pointee a site at Value should have, null when unknown. Array: its
// elements repeat. See SiteType.cpp for what is believed first.
clang::QualType bestPointee(const Dest &D, const clang::Expr *Value, const BodyFlow *Flow, clang::ASTContext &Ctx,
                            bool &Array);

} // namespace memscope

#endif
