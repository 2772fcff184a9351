// SPDX-License-Identifier: MIT
//
// What the plugin knows of one marked place, from the moment a finder sees it
// to the moment Emit writes it. The marker call in the AST and IR carries its
// index in the unit's SiteTable; nothing is matched by line or column.
#ifndef MEMSCOPE_SITE_H
#define MEMSCOPE_SITE_H

#include "TypeTable.h"
#include "memscope/abi.h"
#include <string>
#include <vector>

namespace memscope {

struct Site {
  std::string Holder;
  std::string Callee;
  std::string File;
  uint32_t Line = 0;
  uint32_t Column = 0;
  ms_site_kind Kind = MS_SITE_UNKNOWN;
  uint8_t Flags = 0; // ms_site_flag
  clang::QualType Pointee; // valid only until the unit's AST goes
  uint32_t Type = 0;       // of Pointee in SiteTable::Types, set by resolveTypes
  uint64_t ElementBytes = 0;
};

class SiteTable {
public:
  uint32_t add(Site S) {
    Sites.push_back(std::move(S));
    return Sites.size() - 1;
  }
  Site &operator[](uint32_t Index) { return Sites[Index]; }
  const Site &operator[](uint32_t Index) const { return Sites[Index]; }
  uint32_t size() const { return Sites.size(); }

  // At the unit's end: types are complete then, and the AST is still there.
  void resolveTypes(clang::ASTContext &Ctx);

  TypeTable Types;
  std::string Source;   // the unit's main file, as sites name it
  std::string Compiler; // "clang 19.1.7"

private:
  std::vector<Site> Sites;
};

// The two halves of the plugin meet here: the unit being compiled.
SiteTable &currentUnit();

} // namespace memscope

#endif
