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
  Expansion(Module &M, GlobalVariable *Unit) : M(M), Unit(Unit) {}
  void run();

private:
  void expand(CallInst *Note);
  void checkBlock(CallInst *Note, Value *Pointer, uint32_t Bits);
  void checkFreed(CallInst *Note, Value *Pointer, uint32_t Bits);
  void gather(IRBuilder<> &B, unsigned Gather, Value *Count, uint32_t Bits);
  void callBind(IRBuilder<> &B, Value *Pointer, uint32_t Bits);
  void quiet(Instruction *Access) { Access->setMetadata("nosanitize", MDNode::get(M.getContext(), {})); }
  void go(IRBuilder<> &B, Instruction *Before, CallInst *Note);
  Value *threadPlace(IRBuilder<> &B, Type *Word, Value *Offset);
  Value *threadLoad(IRBuilder<> &B, Type *Word, unsigned Offset);
  void threadStore(IRBuilder<> &B, Value *What, Value *Offset);
  Value *member(IRBuilder<> &B, unsigned Number);
  MDNode *seldom() { return MDBuilder(M.getContext()).createBranchWeights(1, 1 << 20); }

  Module &M;
  GlobalVariable *Unit;
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

// A word of this thread's struct ms_last. On x86-64 the segment itself is the
// base: one instruction, and no thread pointer that a coroutine or fiber could
// carry from one thread to another.
Value *Expansion::threadPlace(IRBuilder<> &B, Type *Word, Value *Offset) {
  Value *Place = B.CreateAdd(member(B, UnitTlsOffset), Offset);
  if (Triple(M.getTargetTriple()).getArch() == Triple::x86_64) return B.CreateIntToPtr(Place, compat::pointerTo(Word, 257));
  Value *Thread = B.CreateIntrinsic(Intrinsic::thread_pointer, compat::threadPointerTypes(M.getContext()), {});
  return B.CreatePointerCast(B.CreateGEP(B.getInt8Ty(), Thread, Place), compat::pointerTo(Word, 0));
}

// Volatile: malloc touches no memory as far as LLVM knows, a plain load would
// be merged with one before it.
Value *Expansion::threadLoad(IRBuilder<> &B, Type *Word, unsigned Offset) {
  Value *Place = threadPlace(B, Word, B.getInt64(Offset));
  LoadInst *Load = B.CreateAlignedLoad(Word, Place, Align(Word->getScalarSizeInBits() / 8), /*isVolatile=*/true);
  quiet(Load);
  return Load;
}

void Expansion::threadStore(IRBuilder<> &B, Value *What, Value *Offset) {
  Type *Word = What->getType();
  quiet(B.CreateAlignedStore(What, threadPlace(B, Word, Offset), Align(Word->getScalarSizeInBits() / 8), /*isVolatile=*/true));
}

// gather.site[count++] = first_site + bits, of a count below MS_GATHER_MOST.
void Expansion::gather(IRBuilder<> &B, unsigned Gather, Value *Count, uint32_t Bits) {
  Value *Site = B.CreateAdd(member(B, UnitFirstSite), B.getInt32(Bits));
  Value *Index = B.CreateShl(B.CreateZExt(Count, B.getInt64Ty()), 2);
  threadStore(B, Site, B.CreateAdd(Index, B.getInt64(Gather + offsetof(ms_gather, site))));
  threadStore(B, B.CreateAdd(Count, B.getInt32(1)), B.getInt64(Gather + offsetof(ms_gather, count)));
}

void Expansion::callBind(IRBuilder<> &B, Value *Pointer, uint32_t Bits) {
  Type *Byte = compat::bytePointer(M.getContext());
  FunctionType *Type = FunctionType::get(B.getVoidTy(), {Byte, Byte, B.getInt32Ty()}, false);
  Value *Entry = B.CreatePointerCast(member(B, UnitBind), compat::pointerTo(Type, 0));
  CallInst *Call = B.CreateCall(Type, Entry, {Pointer, B.CreatePointerCast(Unit, Byte), B.getInt32(Bits)});
  Call->setCallingConv(CallingConv::PreserveMost);
  compat::setQuietArguments(Call);
}

// A call may return nothing defined, and a place may be unwritten: frozen, the branch is not undefined.
Value *addressOf(IRBuilder<> &B, Value *Pointer) { return B.CreatePtrToInt(B.CreateFreeze(Pointer), B.getInt64Ty()); }

void Expansion::checkBlock(CallInst *Note, Value *Pointer, uint32_t Bits) {
  IRBuilder<> B(Note);
  Value *Address = addressOf(B, Pointer), *Last = threadLoad(B, B.getInt64Ty(), offsetof(ms_last, last_block));
  Value *Offset = B.CreateSub(Address, Last), *Meets = B.CreateICmpULT(Offset, B.getInt64(MS_NEAR_BYTES));
  go(B, SplitBlockAndInsertIfThen(Meets, Note, /*Unreachable=*/false, seldom()), Note);
  if ((Bits & (MS_BIND_UP | MS_BIND_WEAK)) == MS_BIND_UP) {
    Value *Count = threadLoad(B, B.getInt32Ty(), offsetof(ms_last, block) + offsetof(ms_gather, count));
    Value *Full = B.CreateAnd(B.CreateZExt(Count, B.getInt64Ty()), B.getInt64(~uint64_t(MS_GATHER_MOST - 1)));
    Value *Slow = B.CreateIsNotNull(B.CreateOr(Offset, Full));
    Instruction *SlowEnd, *PlainEnd;
    SplitBlockAndInsertIfThenElse(Slow, &*B.GetInsertPoint(), &SlowEnd, &PlainEnd, seldom());
    go(B, PlainEnd, Note);
    gather(B, offsetof(ms_last, block), Count, Bits);
    go(B, SlowEnd, Note);
  }
  callBind(B, Pointer, Bits);
}

void Expansion::checkFreed(CallInst *Note, Value *Pointer, uint32_t Bits) {
  IRBuilder<> B(Note);
  Value *Address = addressOf(B, Pointer), *Last = threadLoad(B, B.getInt64Ty(), offsetof(ms_last, last_freed));
  Instruction *Then = SplitBlockAndInsertIfThen(B.CreateICmpEQ(Address, Last), Note, false, seldom());
  go(B, Then, Note);
  Value *Count = threadLoad(B, B.getInt32Ty(), offsetof(ms_last, freed) + offsetof(ms_gather, count));
  Value *Room = B.CreateICmpULT(Count, B.getInt32(MS_GATHER_MOST));
  if (!(Bits & MS_BIND_UP)) threadStore(B, B.getInt64(MS_NO_BLOCK), B.getInt64(offsetof(ms_last, last_freed)));
  go(B, SplitBlockAndInsertIfThen(Room, Then, false), Note);
  gather(B, offsetof(ms_last, freed), Count, Bits);
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
  if (GlobalVariable *Unit = findUnit(M)) Expansion(M, Unit).run();
}

} // namespace memscope
