// SPDX-License-Identifier: MIT
//
// The unit's types as plain records: what ms_type and ms_field will say.
// Filled from the AST once the whole unit is known, read by Emit after the AST
// is gone. Only types reachable from a site that survives are emitted.
#ifndef MEMSCOPE_TYPETABLE_H
#define MEMSCOPE_TYPETABLE_H

#include "clang/AST/ASTContext.h"
#include "clang/AST/RecordLayout.h"
#include "memscope/abi.h"
#include <map>
#include <string>
#include <vector>

namespace memscope {

struct FieldRecord {
  std::string Name;
  uint32_t Type = 0; // 1-based, 0 = unknown
  uint32_t OffsetBytes = 0;
  uint32_t SizeBytes = 0; // of a bit-field: bits
  uint32_t CountedBy = 0; // 1 + index of the counting field
  uint8_t Flags = 0;      // ms_field_flag
  uint8_t OffsetBits = 0;
};

struct TypeRecord {
  std::string Name;
  ms_type_kind Kind = MS_TYPE_OTHER;
  uint64_t SizeBytes = 0;
  uint32_t AlignBytes = 0;
  uint32_t Target = 0; // pointee or element, 1-based
  bool Whole = false;  // fields are laid out
  std::vector<FieldRecord> Fields;
};

class TypeTable {
public:
  // The 1-based index of T. Whole: with its fields, as pointees of sites and
  // records nested by value are; else by name and size, as targets of pointers.
  uint32_t add(clang::QualType T, clang::ASTContext &Ctx, bool Whole);

  const TypeRecord &operator[](uint32_t Index) const { return Types[Index - 1]; }
  uint32_t size() const { return Types.size(); }

private:
  // The name as the source writes it: "struct conn", "TString", "std::vector<int>".
  std::string nameOf(clang::QualType T, clang::ASTContext &Ctx);
  void readTypedefs(clang::ASTContext &Ctx);
  void describe(uint32_t Index, clang::QualType T, clang::ASTContext &Ctx);
  void layOut(uint32_t Index, const clang::RecordDecl *Record, clang::ASTContext &Ctx);
  void addBases(TypeRecord &Type, const clang::CXXRecordDecl *Record, clang::ASTContext &Ctx);
  FieldRecord fieldRecord(const clang::FieldDecl *Field, const clang::ASTRecordLayout &Layout, bool IsLast,
                          clang::ASTContext &Ctx);

  std::vector<TypeRecord> Types;
  llvm::DenseMap<const clang::TagDecl *, const clang::TypedefNameDecl *> TypedefOf;
  bool TypedefsRead = false;
  std::map<std::pair<const void *, std::string>, uint32_t> Known; // canonical type and name
};

} // namespace memscope

#endif
