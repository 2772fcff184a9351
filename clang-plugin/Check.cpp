// SPDX-License-Identifier: MIT
//
// A check as a note, and as code. See Check.h.
#include "Check.h"
#include "Emit.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace llvm;

namespace memscope {

// llvm.var.annotation(pointer, unit, unit if freed, bits, null): free in every
// cost model, kept in its place by all passes, dropped by code generation should
// nobody expand it.
enum { NotePointer, NoteUnit, NoteFreed, NoteBits };

void placeCheck(IRBuilder<> &B, GlobalVariable *Unit, Value *Pointer, uint32_t Bits, bool Freed) {
  LLVMContext &C = Unit->getContext();
  PointerType *Byte = compat::bytePointer(C);
  Value *Mine = B.CreatePointerCast(Unit, Byte), *None = ConstantPointerNull::get(Byte);
  CallInst *Note = B.CreateIntrinsic(Intrinsic::var_annotation, compat::annotationTypes(C),
                                     {B.CreatePointerCast(Pointer, Byte), Mine, Freed ? Mine : None, B.getInt32(Bits), None});
  Note->addFnAttr(Attribute::NoMerge); // two sites stay two
}

namespace {

class Expansion {
public:
  Expansion(Module &M, GlobalVariable *Unit, GlobalVariable *Steps) : M(M), Unit(Unit), Steps(Steps) {}
  void run();

private:
  void expand(CallInst *Note);
  void checkBlock(CallInst *Note, Value *Pointer, uint32_t Bits);
  void checkFreed(CallInst *Note, Value *Pointer, uint32_t Bits);
  struct Ways {
    Instruction *Slow, *Known; // ends of two blocks that meet behind
    Value *To;
  };
  Ways takeStep(IRBuilder<> &B, CallInst *Note, unsigned Name, Value *Inside, Value *Pointer, uint32_t Bits);
  Value *rememberedStep(IRBuilder<> &B, uint32_t Bits);
  void callStep(IRBuilder<> &B, Value *Pointer, uint32_t Bits);
  void nameRow(IRBuilder<> &B, const Ways &Step, CallInst *Note);
  void quiet(Instruction *Access) { Access->setMetadata("nosanitize", MDNode::get(M.getContext(), {})); }
  void go(IRBuilder<> &B, Instruction *Before, CallInst *Note);
  Value *threadPlace(IRBuilder<> &B, Type *Word, unsigned Offset);
  Value *threadLoad(IRBuilder<> &B, Type *Word, unsigned Offset);
  void threadStore(IRBuilder<> &B, Value *What, unsigned Offset);
  Value *member(IRBuilder<> &B, unsigned Number);
  MDNode *seldom() { return MDBuilder(M.getContext()).createBranchWeights(1, 1 << 20); }

  Module &M;
  GlobalVariable *Unit, *Steps;
  Value *Words = nullptr; // the unit's tls_offset, as the check being built has it
};

void Expansion::go(IRBuilder<> &B, Instruction *Before, CallInst *Note) {
  B.SetInsertPoint(Before);
  B.SetCurrentDebugLocation(Note->getDebugLoc());
}

Value *Expansion::member(IRBuilder<> &B, unsigned Number) {
  auto *Layout = cast<StructType>(Unit->getValueType());
  LoadInst *Load = B.CreateLoad(Layout->getElementType(Number), B.CreateStructGEP(Layout, Unit, Number));
  quiet(Load);
  return Load;
}

// A word of this thread's struct ms_last, whose place a check looks up once. On x86-64 the segment itself is the
// base: one instruction, and no thread pointer that a coroutine or fiber could
// carry from one thread to another.
Value *Expansion::threadPlace(IRBuilder<> &B, Type *Word, unsigned Offset) {
  Value *Place = B.CreateAdd(Words, B.getInt64(Offset));
  if (Triple(M.getTargetTriple()).getArch() == Triple::x86_64) return B.CreateIntToPtr(Place, compat::pointerTo(Word, 257));
  Value *Thread = B.CreateIntrinsic(Intrinsic::thread_pointer, compat::threadPointerTypes(M.getContext()), {});
  return B.CreatePointerCast(B.CreateGEP(B.getInt8Ty(), Thread, Place), compat::pointerTo(Word, 0));
}

// Volatile: malloc touches no memory as far as LLVM knows, a plain load would
// be merged with one before it.
Value *Expansion::threadLoad(IRBuilder<> &B, Type *Word, unsigned Offset) {
  Value *Place = threadPlace(B, Word, Offset);
  LoadInst *Load = B.CreateAlignedLoad(Word, Place, Align(Word->getScalarSizeInBits() / 8), /*isVolatile=*/true);
  quiet(Load);
  return Load;
}

void Expansion::threadStore(IRBuilder<> &B, Value *What, unsigned Offset) {
  Type *Word = What->getType();
  quiet(B.CreateAlignedStore(What, threadPlace(B, Word, Offset), Align(Word->getScalarSizeInBits() / 8), /*isVolatile=*/true));
}

// struct ms_step in one piece: from below, to above.
Value *Expansion::rememberedStep(IRBuilder<> &B, uint32_t Bits) {
  Value *Place = B.CreateConstInBoundsGEP2_64(Steps->getValueType(), Steps, 0, Bits & MS_BIND_INDEX);
  LoadInst *Load = B.CreateAlignedLoad(B.getInt64Ty(), Place, Align(8), /*isVolatile=*/true);
  quiet(Load);
  return Load;
}

void Expansion::callStep(IRBuilder<> &B, Value *Pointer, uint32_t Bits) {
  Type *Byte = compat::bytePointer(M.getContext());
  FunctionType *Type = FunctionType::get(B.getVoidTy(), {Byte, Byte, B.getInt32Ty()}, false);
  Value *Entry = B.CreatePointerCast(member(B, UnitStep), compat::pointerTo(Type, 0));
  CallInst *Call = B.CreateCall(Type, Entry, {Pointer, B.CreatePointerCast(Unit, Byte), B.getInt32(Bits)});
  Call->setCallingConv(CallingConv::PreserveMost);
  compat::setQuietArguments(Call);
}

// The name at offset Name of ms_last takes the step this site remembers, if it is one
// from there and the pointer lies not Inside a block; else the runtime takes it. B is
// left where the new name is known, to be put in place.
Expansion::Ways Expansion::takeStep(IRBuilder<> &B, CallInst *Note, unsigned Name, Value *Inside, Value *Pointer, uint32_t Bits) {
  Value *Step = rememberedStep(B, Bits), *Now = threadLoad(B, B.getInt32Ty(), Name);
  Value *Other = B.CreateXor(B.CreateTrunc(Step, B.getInt32Ty()), Now);
  Value *Unknown = B.CreateIsNotNull(Inside ? B.CreateOr(B.CreateZExt(Other, B.getInt64Ty()), Inside) : Other);
  Instruction *Slow, *Known;
  SplitBlockAndInsertIfThenElse(Unknown, &*B.GetInsertPoint(), &Slow, &Known, seldom());
  go(B, Slow, Note);
  callStep(B, Pointer, Bits);
  go(B, Known, Note);
  return {Slow, Known, B.CreateTrunc(B.CreateLShr(Step, 32), B.getInt32Ty())};
}

// *last->thread->name = the new name; that is the runtime's affair when there is no such row.
void Expansion::nameRow(IRBuilder<> &B, const Ways &Step, CallInst *Note) {
  PointerType *Byte = compat::bytePointer(M.getContext());
  Value *Thread = B.CreateIntToPtr(threadLoad(B, B.getInt64Ty(), offsetof(ms_last, thread)), compat::pointerTo(Byte, 0));
  LoadInst *Row = B.CreateAlignedLoad(Byte, Thread, Align(8), /*isVolatile=*/true);
  quiet(Row);
  Value *Gone = B.CreateIsNull(Row);
  BasicBlock *Head = Step.Known->getParent(), *There = Head->splitBasicBlock(Step.Known);
  Head->getTerminator()->eraseFromParent();
  B.SetInsertPoint(Head);
  B.CreateCondBr(Gone, Step.Slow->getParent(), There, seldom());
  go(B, Step.Known, Note);
  Type *Word = B.getInt32Ty();
  quiet(B.CreateAlignedStore(Step.To, B.CreatePointerCast(Row, compat::pointerTo(Word, 0)), Align(4), /*isVolatile=*/true));
}

// A call may return nothing defined, and a place may be unwritten: frozen, the branch is not undefined.
Value *addressOf(IRBuilder<> &B, Value *Pointer) { return B.CreatePtrToInt(B.CreateFreeze(Pointer), B.getInt64Ty()); }

void Expansion::checkBlock(CallInst *Note, Value *Pointer, uint32_t Bits) {
  IRBuilder<> B(Note);
  Words = member(B, UnitTlsOffset);
  Value *Address = addressOf(B, Pointer), *Last = threadLoad(B, B.getInt64Ty(), offsetof(ms_last, last_block));
  Value *Offset = B.CreateSub(Address, Last), *Meets = B.CreateICmpULT(Offset, B.getInt64(MS_NEAR_BYTES));
  go(B, SplitBlockAndInsertIfThen(Meets, Note, /*Unreachable=*/false, seldom()), Note);
  Ways Step = takeStep(B, Note, offsetof(ms_last, name), Offset, Pointer, Bits);
  if (Bits & MS_BIND_UP) return threadStore(B, Step.To, offsetof(ms_last, name));
  nameRow(B, Step, Note);
  threadStore(B, B.getInt64(MS_NO_BLOCK), offsetof(ms_last, last_block));
}

void Expansion::checkFreed(CallInst *Note, Value *Pointer, uint32_t Bits) {
  IRBuilder<> B(Note);
  Words = member(B, UnitTlsOffset);
  Value *Address = addressOf(B, Pointer), *Last = threadLoad(B, B.getInt64Ty(), offsetof(ms_last, last_freed));
  go(B, SplitBlockAndInsertIfThen(B.CreateICmpEQ(Address, Last), Note, false, seldom()), Note);
  Ways Step = takeStep(B, Note, offsetof(ms_last, freed_name), nullptr, Pointer, Bits | MS_BIND_FREED);
  threadStore(B, Step.To, offsetof(ms_last, freed_name));
  if (!(Bits & MS_BIND_UP)) threadStore(B, B.getInt64(MS_NO_BLOCK), offsetof(ms_last, last_freed));
}

void Expansion::expand(CallInst *Note) {
  Value *Pointer = Note->getArgOperand(NotePointer);
  uint32_t Bits = cast<ConstantInt>(Note->getArgOperand(NoteBits))->getZExtValue();
  if (isa<Constant>(Pointer)) return; // no block
  if (isa<ConstantPointerNull>(Note->getArgOperand(NoteFreed))) checkBlock(Note, Pointer, Bits);
  else checkFreed(Note, Pointer, Bits);
}

void Expansion::run() {
  SmallVector<CallInst *, 64> Notes;
  for (Function &F : M)
    for (Instruction &I : instructions(F))
      if (auto *Call = dyn_cast<IntrinsicInst>(&I))
        if (Call->getIntrinsicID() == Intrinsic::var_annotation &&
            Call->getArgOperand(NoteUnit)->stripPointerCasts() == Unit)
          Notes.push_back(Call);
  for (CallInst *Note : Notes) {
    expand(Note);
    Note->eraseFromParent();
  }
}

} // namespace

void expandChecks(Module &M) {
  if (GlobalVariable *Unit = findUnit(M)) Expansion(M, Unit, findSteps(M)).run();
}

} // namespace memscope
