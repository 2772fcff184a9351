// SPDX-License-Identifier: MIT
//
// The one file that changes the AST. Wraps what the Finder found:
//
//   E            becomes  (T)__memscope_mark((void *)E, N)
//   &p           becomes  (T **)__memscope_out((void *)&p, N)
//   free(p)      becomes  free(__memscope_freed(p, N))
//
// The three functions are declared nowhere the program could see; Lower.cpp
// removes every call again before anything is optimised.
#ifndef MEMSCOPE_MARKER_H
#define MEMSCOPE_MARKER_H

#include "Finder.h"

namespace memscope {

class Marker {
public:
  explicit Marker(clang::ASTContext &Ctx) : Ctx(Ctx) {}

  void apply(const Finder &Found);

private:
  void apply(const Change &C);
  clang::Expr *call(MarkerKind Kind, clang::Expr *Pointer, uint32_t Site);
  clang::FunctionDecl *function(MarkerKind Kind);
  clang::Expr *cast(clang::Expr *E, clang::QualType T);

  clang::ASTContext &Ctx;
  clang::FunctionDecl *Functions[3] = {};
};

} // namespace memscope

#endif
