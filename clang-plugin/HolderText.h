// SPDX-License-Identifier: MIT
//
// Writes an expression as the path a reader of the source would write:
// p->a.b[i]. Casts and needless parentheses go; an index that is more than a
// name or a literal becomes "…". Reads the AST, changes nothing.
#ifndef MEMSCOPE_HOLDERTEXT_H
#define MEMSCOPE_HOLDERTEXT_H

#include "clang/AST/Expr.h"
#include <string>

namespace memscope {

// "ncl->upvals[i]", "*out", "head", "this->buf"; "…" for what has no short form.
std::string pathText(const clang::Expr *E);

// The function a call names: "xmalloc", "g->frealloc", "leveldb::Arena::Allocate".
std::string calleeText(const clang::CallExpr *Call);

// The function itself: "leveldb::Arena::Allocate", "main::{lambda}::operator()".
std::string functionText(const clang::FunctionDecl *F);

// "xmalloc(…)": a value that goes to no variable.
std::string callText(const clang::Expr *E);

// "f(…, #2)", counted from 1.
std::string argumentText(llvm::StringRef Callee, unsigned Number);

// Path + ".field", where "(*p).field" is written "p->field".
std::string memberText(std::string Base, llvm::StringRef Field);

} // namespace memscope

#endif
