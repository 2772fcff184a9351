// SPDX-License-Identifier: MIT
//
// From a destination to a site: which holder the block gets by the rule of
// docs/design.md, its type, and whether a caller may name it better.
#include "Finder.h"
#include "LValue.h"

using namespace clang;

namespace memscope {

bool Finder::goesUp(const Dest &D) const {
  switch (D.Kind) {
  case MS_SITE_RETURN:
  case MS_SITE_ARG:
  case MS_SITE_TEMP:
  case MS_SITE_DISCARD: return true;
  default: break;
  }
  if (D.OutParameter || (D.LValue && Flow && Flow->isReturnedPlace(D.LValue))) return true;
  return D.Root && Flow && (Flow->isUp(D.Root) || Flow->isInner(D.Root));
}

// Where the function puts what a local got.
TrailEnd Finder::endOf(const Dest &D) const {
  bool Worth = D.Root && Ways && Flow->movesOn(D.Root) && !Flow->isInner(D.Root);
  return Worth ? Ways->follow(D.Root, D.LValue, D.Start) : TrailEnd();
}

static bool isRecordPointer(QualType T) {
  return !T.isNull() && T->isPointerType() && T->getPointeeType()->isRecordType();
}

static Dest movedTo(const TrailEnd &End, Dest D) {
  D.OuterType = D.Type;
  D.LValue = End.Place;
  D.Type = End.Place ? End.Place->getType() : End.Local->getType();
  if (End.Local) D.Text = End.Local->getNameAsString();
  // A record stored as another: a base class, a header. It was made as the first.
  if (isRecordPointer(D.Type) && isRecordPointer(D.OuterType)) std::swap(D.Type, D.OuterType);
  D.OutParameter |= End.Place && outParameter(End.Place);
  return D;
}

Site Finder::siteFor(const Expr *Value, const Dest &Got, std::string Callee) {
  TrailEnd End = endOf(Got);
  Dest D = End ? movedTo(End, Got) : Got;
  Site S;
  Where.set(S, End ? End.Loc : Value->getBeginLoc());
  S.Holder = D.text(Value);
  S.Callee = std::move(Callee);
  S.Kind = End ? MS_SITE_ASSIGN : D.Kind;
  S.Function = FunctionList;
  bool Array = false;
  S.Pointee = bestPointee(D, Value, Flow, Ctx, Array);
  if (Array) S.Flags |= MS_SITE_ARRAY;
  if (!goesUp(D)) return S;
  S.Flags |= MS_SITE_UP;
  if (D.Root && !End.Place) S.Flags |= MS_SITE_PASSING;
  if (InWrapper && !(D.Root && Flow && Flow->isInner(D.Root))) {
    S.Flags |= MS_SITE_WRAPPER;
    S.WrapperList = WrapperList;
  }
  S.IsHeader = D.Root && Flow && Flow->isHeader(D.Root);
  return S;
}

} // namespace memscope
