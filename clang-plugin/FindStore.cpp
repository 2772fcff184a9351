// SPDX-License-Identifier: MIT
//
// tmp = realloc(p->buf, n); if (!tmp) return; p->buf = tmp;
// The block's place is p->buf, so the store is marked too, and tmp's own site
// is only a step on the way. Which stores qualify, BodyFlow decides.
#include "Calls.h"
#include "Finder.h"
#include "HolderText.h"

using namespace clang;

namespace memscope {

bool Finder::findStore(BinaryOperator *Assign, const Dest &D) {
  const VarDecl *Var = Flow ? Flow->handedOnBy(Assign) : nullptr;
  if (!Var) return false;
  const Expr *Source = Flow->source(Var);
  Dest To;
  To.Kind = MS_SITE_ASSIGN;
  To.LValue = Assign->getLHS();
  To.Type = Assign->getLHS()->getType();
  To.OuterType = Var->getType();
  std::string Callee = "operator new";
  if (auto *Call = Source ? dyn_cast<CallExpr>(stripped(Source)) : nullptr) Callee = calleeText(Call);
  Site S = siteFor(Assign->getRHS(), To, Callee);
  Where.set(S, Assign->getBeginLoc());
  auto Right = std::next(Assign->child_begin());
  add(&*Right, MarkerKind::Mark, std::move(S));
  return true;
}

} // namespace memscope
