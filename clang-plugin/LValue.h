// SPDX-License-Identifier: MIT
//
// Questions about the places a program writes to: whose variable it is, what it
// is reached through. Reads the AST, changes nothing.
#ifndef MEMSCOPE_LVALUE_H
#define MEMSCOPE_LVALUE_H

#include "clang/AST/Decl.h"
#include "clang/AST/Expr.h"

namespace memscope {

// The local variable an lvalue is (a part of, by dots), else null.
const clang::VarDecl *rootLocal(const clang::Expr *LValue);

// *out, out[0] and a reference parameter of pointer type.
const clang::ParmVarDecl *outParameter(const clang::Expr *LValue);

// The pointer an lvalue is reached through: p of p->a.b[3], of *p.
const clang::Expr *reachedThrough(const clang::Expr *LValue);

// Nothing but a union's tag or a cast stands between the base and this member.
bool isAtBase(const clang::Expr *LValue);

// Its name stands in a macro's own text: no reader of the line sees it.
bool isMacroLocal(const clang::VarDecl *Var);

} // namespace memscope

#endif
