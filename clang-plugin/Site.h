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
  uint32_t Function = 0;    // its list holds the function's name in the AST, should its symbol be unreadable
  uint32_t WrapperList = 0; // MS_SITE_WRAPPER holds only if no function of this list can allocate
  bool IsHeader = false;    // what is handed on lies behind it: an interior name may replace its record's
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

  // Lists of function names, counted from 1.
  uint32_t addList(std::vector<std::string> Names) {
    Lists.push_back(std::move(Names));
    return Lists.size();
  }
  const std::vector<std::string> &list(uint32_t Index) const { return Lists[Index - 1]; }

  // At the unit's end: types are complete then, and the AST is still there.
  void resolveTypes(clang::ASTContext &Ctx);

  TypeTable Types;
  std::string Source;   // the unit's main file, as sites name it
  std::string Compiler; // "clang 19.1.7"

private:
  std::vector<Site> Sites;
  std::vector<std::vector<std::string>> Lists;
};

// The two halves of the plugin meet here: the unit being compiled.
SiteTable &currentUnit();

} // namespace memscope

#endif
