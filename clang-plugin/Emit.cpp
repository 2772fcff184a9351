// SPDX-License-Identifier: MIT
//
// Tables to IR globals. See Emit.h.
#include "Emit.h"
#include "Compat.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/Transforms/Utils/ModuleUtils.h"

using namespace llvm;

namespace memscope {

// Before every constructor a user may order (101 and up), behind the sanitizers'.
static const int HookPriority = 100;

static const char *const UnitName = "__memscope_unit", *const StepsName = "__memscope_steps";

GlobalVariable *findUnit(Module &M) { return M.getGlobalVariable(UnitName, /*AllowInternal=*/true); }
GlobalVariable *findSteps(Module &M) { return M.getGlobalVariable(StepsName, /*AllowInternal=*/true); }

template <typename T> static void append(std::string &Bytes, const T &Value) {
  Bytes.append(reinterpret_cast<const char *>(&Value), sizeof Value);
}

// What the runtime writes, zero in the file: nothing may be folded.
GlobalVariable *UnitEmitter::cell(StringRef Name, Type *Layout, StringRef Section) {
  auto *G = new GlobalVariable(M, Layout, /*isConstant=*/false, GlobalValue::InternalLinkage,
                               Constant::getNullValue(Layout), Name);
  G->setExternallyInitialized(true);
  G->setSection(Section);
  G->setAlignment(Align(8));
  compat::excludeFromSanitizers(G);
  return G;
}

GlobalVariable *UnitEmitter::unit() {
  if (Unit) return Unit;
  LLVMContext &C = M.getContext();
  Type *Byte = compat::bytePointer(C);
  Type *Members[] = {Type::getInt64Ty(C), Byte, Type::getInt32Ty(C), Type::getInt32Ty(C), Byte};
  return Unit = cell(UnitName, StructType::create(C, ArrayRef<Type *>(Members), "ms_unit"), ".data");
}

uint32_t UnitEmitter::index(uint32_t N, const std::string &Function) {
  auto [It, New] = Indexes.try_emplace({N, Function}, Emitted.size());
  if (New) Emitted.push_back({N, Function});
  return It->second;
}

uint32_t UnitEmitter::string(StringRef Text) {
  if (Text.empty()) return 0;
  auto [It, New] = StringOffsets.try_emplace(Text, Strings.size());
  if (New) {
    Strings += Text;
    Strings += '\0';
  }
  return It->second;
}

uint32_t UnitEmitter::type(uint32_t Index) {
  if (!Index) return 0;
  if (TypeNumbers.empty()) TypeNumbers.resize(Sites.Types.size() + 1);
  if (!TypeNumbers[Index]) {
    TypeOrder.push_back(Index);
    TypeNumbers[Index] = TypeOrder.size();
  }
  return TypeNumbers[Index];
}

// Types named by sites first; laying one out may name more.
void UnitEmitter::layTypes() {
  for (size_t I = 0; I < TypeOrder.size(); ++I) {
    const TypeRecord &From = Sites.Types[TypeOrder[I]];
    ms_type To = {};
    To.name = string(From.Name);
    To.kind = From.Kind;
    To.size_bytes = From.SizeBytes;
    To.align_bytes = From.AlignBytes;
    To.target = type(From.Target);
    To.first_field = FieldCount;
    To.field_count = From.Fields.size();
    append(TypeBytes, To);
    for (const FieldRecord &Field : From.Fields) {
      ms_field F = {};
      F.name = string(Field.Name);
      F.type = type(Field.Type);
      F.offset_bytes = Field.OffsetBytes;
      F.size_bytes = Field.SizeBytes;
      F.counted_by = Field.CountedBy;
      F.flags = Field.Flags;
      F.offset_bits = Field.OffsetBits;
      append(FieldBytes, F);
      ++FieldCount;
    }
  }
}

std::string UnitEmitter::siteBytes() {
  std::string Bytes;
  for (const EmittedSite &E : Emitted) {
    const Site &From = Sites[E.N];
    ms_site To = {};
    To.holder = string(From.Holder);
    To.type = type(From.Type);
    To.file = string(From.File);
    To.line = From.Line;
    To.function = string(E.Function);
    To.callee = string(From.Callee);
    To.column = std::min<uint32_t>(From.Column, UINT16_MAX);
    To.kind = From.Kind;
    To.flags = From.Flags;
    To.element_bytes = std::min<uint64_t>(From.ElementBytes, UINT32_MAX);
    append(Bytes, To);
  }
  return Bytes;
}

GlobalVariable *UnitEmitter::table(StringRef Name, StringRef Bytes, unsigned Alignment) {
  Constant *Data = ConstantDataArray::getString(M.getContext(), Bytes, /*AddNull=*/false);
  auto *G = new GlobalVariable(M, Data->getType(), /*isConstant=*/true, GlobalValue::PrivateLinkage, Data, Name);
  G->setAlignment(Align(Alignment));
  compat::excludeFromSanitizers(G);
  return G;
}

void UnitEmitter::writeNote(GlobalVariable *SiteTable, GlobalVariable *TypeTable, GlobalVariable *FieldTable,
                            GlobalVariable *StringTable, GlobalVariable *Steps, uint32_t Source, uint32_t Compiler) {
  LLVMContext &C = M.getContext();
  Type *Word = Type::getInt32Ty(C), *Long = Type::getInt64Ty(C);
  const unsigned NameIndex = 3, WordCount = sizeof(ms_note) / 4 - 3; // 12 bytes of name are one member
  SmallVector<Type *, 16> Members(WordCount + 1, Word);
  Members[NameIndex] = ArrayType::get(Type::getInt8Ty(C), sizeof(ms_note::name));
  StructType *Layout = StructType::get(C, ArrayRef<Type *>(Members));
  auto *Note = new GlobalVariable(M, Layout, /*isConstant=*/true, GlobalValue::InternalLinkage, nullptr,
                                  "__memscope_note");
  SmallVector<Constant *, 16> Values;
  auto Number = [&](uint64_t N) { Values.push_back(ConstantInt::get(Word, N)); };
  // In-bounds, from this very field: the section stays read-only, without relocations at load.
  auto Relative = [&](GlobalVariable *Target) {
    Constant *Path[] = {ConstantInt::get(Word, 0), ConstantInt::get(Word, Values.size())};
    Constant *Here = ConstantExpr::getInBoundsGetElementPtr(Layout, Note, ArrayRef<Constant *>(Path));
    Constant *Distance = ConstantExpr::getSub(ConstantExpr::getPtrToInt(Target, Long),
                                              ConstantExpr::getPtrToInt(Here, Long));
    Values.push_back(ConstantExpr::getTrunc(Distance, Word));
  };
  char Name[sizeof(ms_note::name)] = MS_NOTE_NAME;
  Number(sizeof MS_NOTE_NAME);
  Number(sizeof(ms_note) - offsetof(ms_note, version));
  Number(MS_NOTE_TYPE);
  Values.push_back(ConstantDataArray::getString(C, StringRef(Name, sizeof Name), false));
  Number(MS_ABI_VERSION);
  Relative(unit());
  Relative(SiteTable);
  Number(Emitted.size());
  Relative(TypeTable);
  Number(TypeOrder.size());
  Relative(FieldTable);
  Number(FieldCount);
  Relative(StringTable);
  Number(Strings.size());
  Number(Source);
  Number(Compiler);
  Relative(Steps);
  Note->setInitializer(ConstantStruct::get(Layout, ArrayRef<Constant *>(Values)));
  Note->setSection(MS_NOTE_SECTION);
  Note->setAlignment(Align(4));
  compat::excludeFromSanitizers(Note);
  appendToCompilerUsed(M, {Note, unit(), Steps});
}

// if (&Runtime) Runtime(&unit), Runtime being weak: absent in a program alone.
Function *UnitEmitter::hook(StringRef Name, StringRef Runtime) {
  LLVMContext &C = M.getContext();
  Type *Void = Type::getVoidTy(C);
  auto *Target = cast<Function>(
      M.getOrInsertFunction(Runtime, FunctionType::get(Void, {compat::bytePointer(C)}, false)).getCallee());
  Target->setLinkage(GlobalValue::ExternalWeakLinkage);
  Target->setDSOLocal(false);
  auto *Hook = Function::Create(FunctionType::get(Void, false), GlobalValue::InternalLinkage, Name, M);
  Hook->setDoesNotThrow();
  BasicBlock *Entry = BasicBlock::Create(C, "", Hook), *Call = BasicBlock::Create(C, "", Hook),
             *End = BasicBlock::Create(C, "", Hook);
  IRBuilder<> B(Entry);
  B.CreateCondBr(B.CreateIsNotNull(Target), Call, End);
  B.SetInsertPoint(Call);
  B.CreateCall(Target, {B.CreatePointerCast(unit(), compat::bytePointer(C))});
  B.CreateBr(End);
  B.SetInsertPoint(End);
  B.CreateRetVoid();
  return Hook;
}

void UnitEmitter::finish() {
  if (Emitted.empty()) return;
  uint32_t Source = string(Sites.Source), Compiler = string(Sites.Compiler);
  std::string SiteBytes = siteBytes();
  layTypes();
  GlobalVariable *SiteTable = table("__memscope_sites", SiteBytes, alignof(ms_site));
  GlobalVariable *TypeTable = table("__memscope_types", TypeBytes, alignof(ms_type));
  GlobalVariable *FieldTable = table("__memscope_fields", FieldBytes, alignof(ms_field));
  GlobalVariable *StringTable = table("__memscope_strings", Strings, 1);
  GlobalVariable *Steps = cell(StepsName, ArrayType::get(Type::getInt64Ty(M.getContext()), Emitted.size()), ".bss");
  writeNote(SiteTable, TypeTable, FieldTable, StringTable, Steps, Source, Compiler);
  appendToGlobalCtors(M, hook("__memscope_loaded", "__memscope_module_loaded"), HookPriority);
  appendToGlobalDtors(M, hook("__memscope_unloaded", "__memscope_module_unloaded"), HookPriority);
}

static const char *kindName(ms_site_kind Kind) {
  switch (Kind) {
  case MS_SITE_INIT: return "init";
  case MS_SITE_ASSIGN: return "assign";
  case MS_SITE_RETURN: return "return";
  case MS_SITE_ARG: return "arg";
  case MS_SITE_TEMP: return "temp";
  case MS_SITE_OUT: return "out";
  case MS_SITE_FREE: return "free";
  case MS_SITE_DISCARD: return "discard";
  default: return "unknown";
  }
}

void UnitEmitter::list(raw_ostream &Out) const {
  for (const EmittedSite &E : Emitted) {
    const Site &S = Sites[E.N];
    Out << "  " << S.File << ":" << S.Line << ":" << S.Column << " " << kindName(S.Kind) << " " << S.Holder << " : "
        << (S.Type ? Sites.Types[S.Type].Name : "void") << " (" << S.ElementBytes << ")";
    const std::pair<unsigned, const char *> Flags[] = {{MS_SITE_ARRAY, "array"}, {MS_SITE_NEW, "new"},
                                                       {MS_SITE_UP, "up"}, {MS_SITE_WRAPPER, "wrapper"},
                                                       {MS_SITE_SYSTEM, "system"}};
    for (auto &Flag : Flags)
      if (S.Flags & Flag.first) Out << " " << Flag.second;
    Out << " <- " << S.Callee << " in " << E.Function << "\n";
  }
}

} // namespace memscope
