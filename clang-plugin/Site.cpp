// SPDX-License-Identifier: MIT
//
// The unit's sites. See Site.h.
#include "Site.h"

namespace memscope {

void SiteTable::resolveTypes(clang::ASTContext &Ctx) {
  for (Site &S : Sites) {
    if (S.Pointee.isNull()) continue;
    S.Type = Types.add(S.Pointee, Ctx, /*Whole=*/true);
    if (S.Type) S.ElementBytes = Types[S.Type].SizeBytes;
    S.Pointee = clang::QualType();
  }
}

// One compilation at a time in a cc1 process; Plugin.cpp clears it at the start of each.
SiteTable &currentUnit() {
  static SiteTable Unit;
  return Unit;
}

} // namespace memscope
