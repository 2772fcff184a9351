// SPDX-License-Identifier: MIT
//
// The unit's tables in the object file, to the letter of memscope/abi.h:
// ms_unit in .data, ms_step[] in .bss, ms_site[], ms_type[], ms_field[] and strings
// in .rodata, the note that leads to them, and the two module hooks.
#ifndef MEMSCOPE_EMIT_H
#define MEMSCOPE_EMIT_H

#include "Site.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/Module.h"
#include <map>

namespace memscope {

// Members of ms_unit.
enum { UnitTlsOffset, UnitStep };

// M's ms_unit; null when it has no sites.
llvm::GlobalVariable *findUnit(llvm::Module &M);
// Its ms_step[], as words.
llvm::GlobalVariable *findSteps(llvm::Module &M);

class UnitEmitter {
public:
  UnitEmitter(llvm::Module &M, const SiteTable &Sites) : M(M), Sites(Sites) {}

  // ms_unit, made at the first call.
  llvm::GlobalVariable *unit();

  // The index of site N as it stands in function Name.
  uint32_t index(uint32_t N, const std::string &Function);

  // Writes all that index() was asked for; nothing if it never was.
  void finish();

  uint32_t siteCount() const { return Emitted.size(); }
  uint32_t typeCount() const { return TypeOrder.size(); }
  void list(llvm::raw_ostream &Out) const;

private:
  struct EmittedSite {
    uint32_t N;
    std::string Function;
  };

  uint32_t string(llvm::StringRef Text);
  uint32_t type(uint32_t Index);
  void layTypes();
  std::string siteBytes();
  llvm::GlobalVariable *table(llvm::StringRef Name, llvm::StringRef Bytes, unsigned Align);
  llvm::GlobalVariable *cell(llvm::StringRef Name, llvm::Type *Layout, llvm::StringRef Section);
  void writeNote(llvm::GlobalVariable *SiteTable, llvm::GlobalVariable *TypeTable, llvm::GlobalVariable *FieldTable,
                 llvm::GlobalVariable *StringTable, llvm::GlobalVariable *Steps, uint32_t Source, uint32_t Compiler);
  llvm::Function *hook(llvm::StringRef Name, llvm::StringRef Runtime);

  llvm::Module &M;
  const SiteTable &Sites;
  llvm::GlobalVariable *Unit = nullptr;
  std::vector<EmittedSite> Emitted;
  std::map<std::pair<uint32_t, std::string>, uint32_t> Indexes;
  llvm::StringMap<uint32_t> StringOffsets;
  std::string Strings = std::string(1, '\0');
  std::vector<uint32_t> TypeNumbers; // SiteTable index to emitted index
  std::vector<uint32_t> TypeOrder;   // and back
  std::string TypeBytes, FieldBytes;
  uint32_t FieldCount = 0;
};

} // namespace memscope

#endif
