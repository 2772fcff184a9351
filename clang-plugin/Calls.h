// SPDX-License-Identifier: MIT
//
// Which calls are worth a site: questions about one call expression that
// several finders ask. Reads the AST, changes nothing.
#ifndef MEMSCOPE_CALLS_H
#define MEMSCOPE_CALLS_H

#include "Options.h"
#include "clang/AST/ASTContext.h"
#include "clang/AST/Expr.h"
#include "clang/AST/ExprCXX.h"

namespace memscope {

// A pointer to data in the ordinary address space.
bool isDataPointer(clang::QualType T);

// E without parentheses, casts and temporaries' bookkeeping.
const clang::Expr *stripped(const clang::Expr *E);

// The callee's name as the linker knows it in C; empty through a pointer.
llvm::StringRef calleeName(const clang::CallExpr *Call);

// May hand over a new block as its value.
bool mayHandOut(const clang::CallExpr *Call, const clang::ASTContext &Ctx);

// The argument whose value the call returns: std::move(p), strcpy(p, s); else null.
const clang::Expr *passedThrough(const clang::CallExpr *Call);

// Known to allocate itself, without calling back: a row of allocfn.def.
bool isLeafAllocator(const clang::CallExpr *Call);

// Known to allocate: a leaf, an attribute or the configuration says so.
bool isSureAllocator(const clang::CallExpr *Call, const Options &Opts);

// Gives back what one of its pointer arguments points to, as far as its name tells.
bool mayFree(const clang::CallExpr *Call, const Options &Opts);

// new that calls an operator new, not the one that returns its argument.
bool isAllocatingNew(const clang::CXXNewExpr *New);

// A class that owns what its first constructor argument points to: has operator->.
bool isSmartPointer(const clang::CXXRecordDecl *Record);

} // namespace memscope

#endif
