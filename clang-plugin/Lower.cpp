// SPDX-License-Identifier: MIT
//
// Markers to checks. See Lower.h.
#include "Lower.h"
#include "Check.h"
#include "Emit.h"
#include "Known.h"
#include "Reach.h"
#include "Site.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Demangle/Demangle.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace memscope {

namespace {

LowerOptions Requested;

// $_0 and 'lambda0'(int) are {lambda#1}.
void nameLambdas(std::string &Name) {
  for (StringRef Head : {"$_", "'lambda"}) {
    for (size_t At; (At = Name.find(Head.str())) != std::string::npos;) {
      size_t End = At + Head.size(), Number = 0, Digits = End;
      while (End < Name.size() && isDigit(Name[End])) Number = Number * 10 + (Name[End++] - '0');
      // 'lambda' is the first, 'lambda0' the second
      bool Quoted = Head[0] == '\'';
      Number += Quoted && End > Digits ? 2 : 1;
      if (Quoted) End = std::min(Name.find("::", End), Name.size());
      Name.replace(At, End - At, "{lambda#" + std::to_string(Number) + "}");
    }
  }
}

// A C name stays; a C++ one loses its parameters: leveldb::Arena::Allocate.
// Empty when the symbol says nothing a reader could read.
std::string readableName(const Function &F) {
  std::string Name = F.getName().str();
  if (!Name.empty() && Name[0] == '\1') Name.erase(0, 1);
  if (compat::hasPrefix(Name, "__cxx_global_") || compat::hasPrefix(Name, "_GLOBAL__")) return "static initialization";
  if (!compat::hasPrefix(Name, "_Z")) return Name;
  ItaniumPartialDemangler Demangler;
  if (Demangler.partialDemangle(Name.c_str()) || !Demangler.isFunction()) return "";
  size_t Size = 0;
  char *Text = Demangler.getFunctionName(nullptr, &Size);
  Name = Text ? Text : "";
  std::free(Text);
  nameLambdas(Name);
  return Name;
}

// Behind the call on its normal way; null where nothing may stand.
Instruction *behind(CallBase *Call) {
  if (auto *Plain = dyn_cast<CallInst>(Call)) {
    if (Plain->isMustTailCall() || Plain->doesNotReturn()) return nullptr;
    return Plain->getNextNode();
  }
  auto *Invoke = dyn_cast<InvokeInst>(Call);
  if (!Invoke) return nullptr;
  BasicBlock *Next = Invoke->getNormalDest();
  if (!Next->getSinglePredecessor()) Next = SplitEdge(Invoke->getParent(), Next);
  return &*Next->getFirstInsertionPt();
}

// Nothing but the function's end follows: the call may become a jump.
bool isLastAct(CallBase *Call) {
  Instruction *I = Call->getNextNode();
  for (unsigned Steps = 0; I && Steps < 16; ++Steps) {
    if (auto *Return = dyn_cast<ReturnInst>(I)) return !Return->getReturnValue() || Return->getReturnValue() == Call;
    if (isa<DbgInfoIntrinsic>(I) || I->isLifetimeStartOrEnd()) {
      I = I->getNextNode();
    } else if (auto *Branch = dyn_cast<BranchInst>(I); Branch && Branch->isUnconditional()) {
      I = &*Branch->getSuccessor(0)->begin();
    } else {
      return false;
    }
  }
  return false;
}

// Calls that get V, also by way of casts, offsets and joins.
void consumers(Value *V, SmallVectorImpl<CallBase *> &Calls, SmallPtrSetImpl<Value *> &Seen) {
  if (!Seen.insert(V).second) return;
  for (User *U : V->users()) {
    if (auto *Call = dyn_cast<CallBase>(U)) {
      if (!is_contained(Calls, Call)) Calls.push_back(Call);
    } else if (isa<BitCastInst>(U) || isa<GetElementPtrInst>(U) || isa<PHINode>(U) || isa<SelectInst>(U)) {
      consumers(U, Calls, Seen);
    }
  }
}

// The call a value comes from, by way of casts, offsets and joins.
CallBase *producer(Value *V, SmallPtrSetImpl<Value *> &Seen) {
  if (!Seen.insert(V).second) return nullptr;
  if (auto *Call = dyn_cast<CallBase>(V)) return Call;
  auto *I = dyn_cast<Instruction>(V);
  if (!I || !(isa<CastInst>(I) || isa<GetElementPtrInst>(I) || isa<PHINode>(I) || isa<SelectInst>(I))) return nullptr;
  unsigned First = isa<SelectInst>(I) ? 1 : 0, Last = isa<GetElementPtrInst>(I) ? 1 : I->getNumOperands();
  for (unsigned N = First; N < Last; ++N)
    if (CallBase *Call = producer(I->getOperand(N), Seen)) return Call;
  return nullptr;
}

bool givesBack(const CallBase *Call) {
  auto *F = dyn_cast<Function>(Call->getCalledOperand()->stripPointerCasts());
  if (!F) return false;
  // and a class's own operator delete
  return isDeallocator(F->getName()) || F->getName().contains("dlEPv") || F->getName().contains("daEPv");
}

class Lowering {
public:
  Lowering(Module &M, SiteTable &Sites) : M(M), Sites(Sites), Out(M, Sites), Reachable(M), Early(earlyFunctions(M)) {}

  void run();
  void report(raw_ostream &To, bool ListSites) const;

private:
  void settleWrappers();
  bool passesOn(CallBase *Call);
  void lower(CallInst *Marker);
  void lowerMark(CallInst *Marker, uint32_t N);
  void lowerOut(CallInst *Marker, uint32_t N);
  void lowerFreed(CallInst *Marker, uint32_t N);
  void check(Instruction *Before, Value *Pointer, uint32_t N, bool Freed, DebugLoc Loc);
  uint32_t argument(uint32_t N, const Function &F);
  const std::string &nameOf(const Function &F, const Site &S);

  Module &M;
  SiteTable &Sites;
  UnitEmitter Out;
  Reach Reachable;
  DenseSet<const Function *> Early;
  DenseMap<const Function *, std::string> Names;
  unsigned Checks = 0, Dropped = 0;
};

const std::string &Lowering::nameOf(const Function &F, const Site &S) {
  auto [It, New] = Names.try_emplace(&F);
  if (New) It->second = readableName(F);
  if (It->second.empty()) It->second = S.Function ? Sites.list(S.Function)[0] : F.getName().str();
  return It->second;
}

uint32_t Lowering::argument(uint32_t N, const Function &F) {
  const Site &S = Sites[N];
  uint32_t Bits = Out.index(N, nameOf(F, S)) & MS_BIND_INDEX;
  if (S.Flags & MS_SITE_UP) Bits |= MS_BIND_UP;
  if (S.Flags & MS_SITE_SYSTEM) Bits |= MS_BIND_WEAK;
  if (S.Type) {
    ms_type_kind Kind = Sites.Types[S.Type].Kind;
    bool IsRecord = Kind == MS_TYPE_STRUCT || Kind == MS_TYPE_UNION || Kind == MS_TYPE_CLASS;
    if (IsRecord && !S.IsHeader) Bits |= MS_BIND_RECORD;
  }
  return Bits;
}

void Lowering::check(Instruction *Before, Value *Pointer, uint32_t N, bool Freed, DebugLoc Loc) {
  IRBuilder<> B(Before);
  B.SetCurrentDebugLocation(Loc);
  placeCheck(B, Out.unit(), Pointer, argument(N, *Before->getFunction()), Freed);
  ++Checks;
}

// x = thing_init(malloc(n)): an inert call may return a block it was given.
bool Lowering::passesOn(CallBase *Call) {
  for (Value *Argument : Call->args()) {
    if (!Argument->getType()->isPointerTy()) continue;
    SmallPtrSet<Value *, 8> Seen;
    CallBase *From = producer(Argument, Seen);
    if (!From) continue;
    bool IsMarker = From->getCalledFunction() && isMarkerName(From->getCalledFunction()->getName());
    if (IsMarker || !Reachable.isInertCall(From)) return true;
  }
  return false;
}

void Lowering::lowerMark(CallInst *Marker, uint32_t N) {
  Value *Pointer = Marker->getArgOperand(0);
  SmallPtrSet<Value *, 8> Seen;
  if (Sites[N].Flags & MS_SITE_NEW) {
    // Right behind operator new: its constructor may allocate too.
    if (CallBase *Call = producer(Pointer, Seen)) {
      if (Instruction *Place = behind(Call)) check(Place, Call, N, false, Marker->getDebugLoc());
      return;
    }
  } else if (auto *Call = dyn_cast<CallBase>(Pointer->stripPointerCasts())) {
    if (Reachable.isInertCall(Call) && !passesOn(Call)) {
      ++Dropped;
      return;
    }
  }
  check(Marker, Pointer, N, false, Marker->getDebugLoc());
}

void Lowering::lowerOut(CallInst *Marker, uint32_t N) {
  SmallVector<CallBase *, 4> Calls;
  SmallPtrSet<Value *, 8> Seen;
  consumers(Marker, Calls, Seen);
  Value *Place = Marker->getArgOperand(0);
  for (CallBase *Call : Calls) {
    Instruction *Before = Reachable.isInertCall(Call) ? nullptr : behind(Call);
    if (!Before) {
      ++Dropped;
      continue;
    }
    IRBuilder<> B(Before);
    B.SetCurrentDebugLocation(Marker->getDebugLoc());
    Type *Byte = compat::bytePointer(M.getContext());
    Value *Root = Place->stripInBoundsOffsets();
    if (!isa<AllocaInst>(Root) && !isa<GlobalValue>(Root)) {
      // &p->field of a null p: passed on, never read by the callee
      Value *Readable = B.CreateICmpUGT(B.CreatePtrToInt(B.CreateFreeze(Place), B.getInt64Ty()), B.getInt64(4095));
      Before = SplitBlockAndInsertIfThen(Readable, Before, false);
      B.SetInsertPoint(Before);
      B.SetCurrentDebugLocation(Marker->getDebugLoc());
    }
    LoadInst *Load = B.CreateAlignedLoad(Byte, B.CreatePointerCast(Place, compat::pointerTo(Byte, 0)), Align(1));
    Load->setMetadata("nosanitize", MDNode::get(M.getContext(), {}));
    check(Before, Load, N, false, Marker->getDebugLoc());
  }
}

void Lowering::lowerFreed(CallInst *Marker, uint32_t N) {
  SmallVector<CallBase *, 4> Calls;
  SmallPtrSet<Value *, 8> Seen;
  consumers(Marker, Calls, Seen);
  bool Known = any_of(Calls, givesBack), New = Sites[N].Flags & MS_SITE_NEW;
  for (CallBase *Call : Calls) {
    if (Known && !givesBack(Call)) continue;          // the destructor
    if (!Known && New && Call->getCalledFunction()) continue; // a virtual one deletes as well
    Instruction *Before = Reachable.isInertCall(Call) || (!Known && isLastAct(Call)) ? nullptr : behind(Call);
    if (!Before || Call->arg_empty()) {
      ++Dropped;
      continue;
    }
    // delete[] hands over the address of the count before the elements
    check(Before, Known ? Call->getArgOperand(0) : Marker->getArgOperand(0), N, true, Marker->getDebugLoc());
  }
}

void Lowering::lower(CallInst *Marker) {
  uint32_t N = cast<ConstantInt>(Marker->getArgOperand(1))->getZExtValue();
  StringRef Kind = Marker->getCalledFunction()->getName();
  if (!Early.count(Marker->getFunction())) {
    if (Kind == "__memscope_mark") lowerMark(Marker, N);
    if (Kind == "__memscope_out") lowerOut(Marker, N);
    if (Kind == "__memscope_freed") lowerFreed(Marker, N);
  }
  Marker->replaceAllUsesWith(Marker->getArgOperand(0));
  Marker->eraseFromParent();
}

// A wrapper passes a block on that it has just obtained: not if another
// function that may allocate comes in between.
void Lowering::settleWrappers() {
  for (uint32_t N = 0; N < Sites.size(); ++N) {
    Site &S = Sites[N];
    if (!S.WrapperList) continue;
    for (const std::string &Name : Sites.list(S.WrapperList)) {
      const Function *F = M.getFunction(Name);
      if (F && Reachable.isInertFunction(F)) continue;
      S.Flags &= ~MS_SITE_WRAPPER;
      break;
    }
  }
}

void Lowering::run() {
  settleWrappers();
  SmallVector<CallInst *, 64> Markers;
  for (Function &F : M)
    for (Instruction &I : instructions(F))
      if (auto *Call = dyn_cast<CallInst>(&I))
        if (Call->getCalledFunction() && isMarkerName(Call->getCalledFunction()->getName())) Markers.push_back(Call);
  for (CallInst *Marker : Markers) lower(Marker);
  for (StringRef Name : {"__memscope_mark", "__memscope_out", "__memscope_freed"})
    if (Function *F = M.getFunction(Name))
      if (F->use_empty()) F->eraseFromParent();
  Out.finish();
}

void Lowering::report(raw_ostream &To, bool ListSites) const {
  To << "memscope: " << Sites.Source << ": " << Out.siteCount() << " sites, " << Checks << " checks, " << Out.typeCount()
     << " types, " << Dropped << " calls that cannot allocate\n";
  if (ListSites) Out.list(To);
}

// As -fno-omit-frame-pointer asks for it; it also counts when the code is generated later, by LTO.
// Tail calls stay: a program may need them to keep its stack small.
void keepFramePointers(Module &M) {
  for (Function &F : M)
    if (!F.isDeclaration()) F.addFnAttr("frame-pointer", "all");
}

void lowerModule(Module &M) {
  if (Requested.FramePointers) keepFramePointers(M);
  Lowering Work(M, currentUnit());
  Work.run();
  if (Requested.Verbose) Work.report(errs(), Requested.ListSites);
}

template <void Act(Module &)> struct ModulePass : PassInfoMixin<ModulePass<Act>> {
  PreservedAnalyses run(Module &M, ModuleAnalysisManager &) {
    Act(M);
    return PreservedAnalyses::none();
  }
  static bool isRequired() { return true; } // at -O0 too
};

void registerLowering(PassBuilder &PB) {
  if (!Requested.TwoStages) {
    PB.registerPipelineStartEPCallback(
        [](ModulePassManager &MPM, compat::PipelineLevel) { MPM.addPass(ModulePass<lowerModule>()); });
    compat::atPipelineEnd(PB, [](ModulePassManager &MPM) { MPM.addPass(ModulePass<expandChecks>()); });
    return;
  }
  // No pipeline: the writer of the bitcode is the first pass that runs.
  auto Done = std::make_shared<bool>(false);
  PB.getPassInstrumentationCallbacks()->registerBeforeNonSkippedPassCallback([Done](StringRef, Any IR) {
    if (*Done) return;
    if (const Module *M = compat::moduleOf(IR)) {
      *Done = true;
      lowerModule(const_cast<Module &>(*M));
      expandChecks(const_cast<Module &>(*M));
    }
  });
}

} // namespace

void requestLowering(clang::CodeGenOptions &Opts, LowerOptions How) {
  Requested = How;
  compat::addPipelineHook(Opts, registerLowering);
}

} // namespace memscope

// Up to 18 this is how the back end finds the pass, by our own path.
extern "C" __attribute__((visibility("default"))) llvm::PassPluginLibraryInfo llvmGetPassPluginInfo() {
  return {LLVM_PLUGIN_API_VERSION, "memscope", LLVM_VERSION_STRING, memscope::registerLowering};
}
