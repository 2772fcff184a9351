// SPDX-License-Identifier: MIT
//
// AST types to plain records. See TypeTable.h.
#include "TypeTable.h"
#include "Compat.h"
#include "clang/AST/DeclCXX.h"
#include "clang/AST/RecordLayout.h"

using namespace clang;

namespace memscope {

namespace {

// A typedef is what the source writes, but in C++ only one that is no
// template's or class's inner alias: value_type tells a reader nothing.
const TypedefNameDecl *writtenTypedef(QualType T, ASTContext &Ctx) {
  auto *Typedef = T->getAs<TypedefType>();
  if (!Typedef) return nullptr;
  const TypedefNameDecl *D = Typedef->getDecl();
  if (!Ctx.getLangOpts().CPlusPlus) return D;
  if (!D->getDeclContext()->getRedeclContext()->isFileContext() || D->isInStdNamespace()) return nullptr;
  return D;
}

PrintingPolicy policyFor(ASTContext &Ctx) {
  PrintingPolicy Policy = Ctx.getPrintingPolicy();
  Policy.AnonymousTagLocations = false;
  Policy.SuppressUnwrittenScope = true;
  return Policy;
}

bool isSized(QualType T) {
  return !T->isIncompleteType() && !T->isFunctionType() && !T->isDependentType() && !T->isVariablyModifiedType() &&
         !T->isSizelessType();
}

const RecordDecl *definitionOf(QualType T) {
  const RecordDecl *Record = T->getAsRecordDecl();
  if (!Record || Record->isInvalidDecl()) return nullptr;
  Record = Record->getDefinition();
  return Record && !Record->isInvalidDecl() && Record->isCompleteDefinition() ? Record : nullptr;
}

ms_type_kind kindOf(QualType T) {
  if (T->isAnyPointerType() || T->isReferenceType()) return MS_TYPE_POINTER;
  if (T->isArrayType()) return MS_TYPE_ARRAY;
  if (T->isFunctionType()) return MS_TYPE_FUNCTION;
  if (const RecordDecl *Record = T->getAsRecordDecl())
    return Record->isUnion() ? MS_TYPE_UNION : Record->isClass() ? MS_TYPE_CLASS : MS_TYPE_STRUCT;
  if (T->isScalarType() || T->isVectorType()) return MS_TYPE_SCALAR;
  return MS_TYPE_OTHER;
}

} // namespace

static bool isReserved(const NamedDecl *D) {
  llvm::StringRef Name = D->getName();
  return Name.size() > 1 && Name[0] == '_' && (Name[1] == '_' || (Name[1] >= 'A' && Name[1] <= 'Z'));
}

// One record has one name, however the source spells it here: the first
// typedef of the unit that names it, as in typedef struct redisObject robj,
// else its tag.
void TypeTable::readTypedefs(ASTContext &Ctx) {
  for (const Decl *D : Ctx.getTranslationUnitDecl()->noload_decls()) {
    auto *Typedef = dyn_cast<TypedefNameDecl>(D);
    if (!Typedef) continue;
    auto *Tag = Typedef->getUnderlyingType()->getAs<TagType>();
    if (!Tag || Typedef->getUnderlyingType()->getAs<TypedefType>() || isa<ClassTemplateSpecializationDecl>(Tag->getDecl()))
      continue;
    if (!Tag->getDecl()->getDeclContext()->getRedeclContext()->isTranslationUnit()) continue;
    const TypedefNameDecl *&Name = TypedefOf[Tag->getDecl()->getCanonicalDecl()];
    // stdio.h names struct _IO_FILE __FILE before it says FILE
    if (!Name || (isReserved(Name) && !isReserved(Typedef))) Name = Typedef;
  }
}

std::string TypeTable::nameOf(QualType T, ASTContext &Ctx) {
  if (!TypedefsRead) readTypedefs(Ctx);
  TypedefsRead = true;
  T = compat::withoutCount(T).getUnqualifiedType();
  if (auto *Tag = T->getAs<TagType>())
    if (const TypedefNameDecl *Typedef = TypedefOf.lookup(Tag->getDecl()->getCanonicalDecl()))
      return Typedef->getNameAsString();
  if (const RecordDecl *Record = T->getAsRecordDecl()) {
    bool Lambda = isa<CXXRecordDecl>(Record) && cast<CXXRecordDecl>(Record)->isLambda();
    if (!Record->getIdentifier() && !Record->getTypedefNameForAnonDecl() && !Lambda)
      return Record->isUnion() ? "(unnamed union)" : "(unnamed struct)";
  } else if (const TypedefNameDecl *Typedef = writtenTypedef(T, Ctx)) {
    return Ctx.getLangOpts().CPlusPlus ? Typedef->getQualifiedNameAsString() : Typedef->getNameAsString();
  } else if (auto *Pointer = T->getAs<PointerType>(); Pointer && !Pointer->getPointeeType()->isFunctionType()) {
    QualType Pointee = Pointer->getPointeeType();
    std::string Name = (Pointee.isConstQualified() ? "const " : "") + nameOf(Pointee, Ctx);
    if (Pointee->isArrayType()) return T.getAsString(policyFor(Ctx));
    return Name + (Name.back() == '*' ? "*" : " *");
  }
  // Records and enums of C++ are printed from the canonical type, which carries the namespaces.
  bool Keep = !Ctx.getLangOpts().CPlusPlus || !(T->isRecordType() || T->isEnumeralType());
  return (Keep ? T : Ctx.getCanonicalType(T)).getUnqualifiedType().getAsString(policyFor(Ctx));
}

uint32_t TypeTable::add(QualType T, ASTContext &Ctx, bool Whole) {
  if (T.isNull() || T->isDependentType()) return 0;
  if (auto *Atomic = T->getAs<AtomicType>()) T = Atomic->getValueType();
  T = T.getUnqualifiedType();
  QualType Canonical = Ctx.getCanonicalType(T).getUnqualifiedType();
  if (Canonical->isVoidType()) return 0;
  auto [It, New] = Known.try_emplace({Canonical.getTypePtr(), nameOf(T, Ctx)}, Types.size() + 1);
  uint32_t Index = It->second;
  if (New) {
    Types.emplace_back();
    Types[Index - 1].Name = It->first.second;
    describe(Index, T, Ctx);
  }
  if (Whole && !Types[Index - 1].Whole)
    if (const RecordDecl *Record = definitionOf(T)) {
      Types[Index - 1].Whole = true; // first: a record may reach itself
      layOut(Index, Record, Ctx);
    }
  return Index;
}

void TypeTable::describe(uint32_t Index, QualType T, ASTContext &Ctx) {
  Types[Index - 1].Kind = kindOf(T);
  if (isSized(T) && (!T->getAsRecordDecl() || definitionOf(T))) {
    Types[Index - 1].SizeBytes = Ctx.getTypeSizeInChars(T).getQuantity();
    Types[Index - 1].AlignBytes = Ctx.getTypeAlignInChars(T).getQuantity();
  }
  uint32_t Target = 0;
  if (T->isPointerType() || T->isReferenceType())
    Target = add(T->getPointeeType(), Ctx, false);
  else if (const ArrayType *Array = Ctx.getAsArrayType(T))
    Target = add(Array->getElementType(), Ctx, true);
  Types[Index - 1].Target = Target; // add() may have moved the vector
}

FieldRecord TypeTable::fieldRecord(const FieldDecl *Field, const ASTRecordLayout &Layout, bool IsLast,
                                   ASTContext &Ctx) {
  FieldRecord R;
  QualType T = Field->getType();
  uint64_t Bits = Layout.getFieldOffset(Field->getFieldIndex());
  R.Name = Field->getNameAsString();
  R.OffsetBytes = Bits / 8;
  R.Type = add(T, Ctx, true);
  if (Field->isBitField()) {
    R.Flags |= MS_FIELD_BITS;
    R.OffsetBits = Bits % 8;
    R.SizeBytes = Field->getBitWidth()->EvaluateKnownConstInt(Ctx).getZExtValue();
    return R;
  }
  if (isSized(T)) R.SizeBytes = Ctx.getTypeSizeInChars(T).getQuantity();
  if (T->isAnyPointerType() || T->isReferenceType()) R.Flags |= MS_FIELD_POINTER;
  if (T->isIncompleteArrayType()) R.Flags |= MS_FIELD_FLEXIBLE;
  if (auto *Array = Ctx.getAsConstantArrayType(T))
    if (Array->getSize() == 0 || (IsLast && Array->getSize() == 1)) R.Flags |= MS_FIELD_FLEXIBLE;
  return R;
}

void TypeTable::addBases(TypeRecord &Type, const CXXRecordDecl *Record, ASTContext &Ctx) {
  const ASTRecordLayout &Layout = Ctx.getASTRecordLayout(Record);
  if (Layout.hasOwnVFPtr()) {
    FieldRecord R;
    R.Name = "_vptr";
    R.SizeBytes = 8;
    R.Flags = MS_FIELD_POINTER | MS_FIELD_VPTR;
    Type.Fields.push_back(R);
  }
  auto AddBase = [&](const CXXBaseSpecifier &Base, bool Virtual) {
    const CXXRecordDecl *BaseRecord = Base.getType()->getAsCXXRecordDecl();
    if (!BaseRecord) return;
    FieldRecord R;
    R.Name = nameOf(Base.getType(), Ctx);
    R.Flags = MS_FIELD_BASE;
    R.OffsetBytes = (Virtual ? Layout.getVBaseClassOffset(BaseRecord) : Layout.getBaseClassOffset(BaseRecord)).getQuantity();
    R.SizeBytes = BaseRecord->isEmpty() ? 0 : Ctx.getASTRecordLayout(BaseRecord).getNonVirtualSize().getQuantity();
    R.Type = add(Base.getType(), Ctx, true);
    Type.Fields.push_back(R);
  };
  for (const CXXBaseSpecifier &Base : Record->bases())
    if (!Base.isVirtual()) AddBase(Base, false);
  for (const CXXBaseSpecifier &Base : Record->vbases()) AddBase(Base, true);
}

void TypeTable::layOut(uint32_t Index, const RecordDecl *Record, ASTContext &Ctx) {
  TypeRecord Laid; // apart, because add() moves the vector
  const ASTRecordLayout &Layout = Ctx.getASTRecordLayout(Record);
  if (auto *Class = dyn_cast<CXXRecordDecl>(Record)) addBases(Laid, Class, Ctx);
  std::vector<const FieldDecl *> Order(Laid.Fields.size(), nullptr);
  const FieldDecl *Last = nullptr;
  for (const FieldDecl *Field : Record->fields()) Last = Field;
  for (const FieldDecl *Field : Record->fields()) {
    if (compat::isUnnamedBits(Field)) continue;
    Laid.Fields.push_back(fieldRecord(Field, Layout, Field == Last && !Record->isUnion(), Ctx));
    Order.push_back(Field);
  }
  for (size_t I = 0; I < Order.size(); ++I)
    if (const FieldDecl *Count = Order[I] ? compat::countedBy(Order[I]) : nullptr)
      for (size_t J = 0; J < Order.size(); ++J)
        if (Order[J] == Count) Laid.Fields[I].CountedBy = J + 1;
  Types[Index - 1].Fields = std::move(Laid.Fields);
}

} // namespace memscope
