// SPDX-License-Identifier: MIT
//
// The only file that mentions LLVM versions: one source builds on 14, 16, 19
// and 22. Each helper says what changed; nothing else belongs here.
#ifndef MEMSCOPE_COMPAT_H
#define MEMSCOPE_COMPAT_H

#include "clang/AST/ASTContext.h"
#include "clang/AST/DeclCXX.h"
#include "clang/AST/ExprCXX.h"
#include "clang/AST/Type.h"
#include "clang/Frontend/CompilerInstance.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/DerivedTypes.h"
#include "llvm/IR/GlobalVariable.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/MDBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#if LLVM_VERSION_MAJOR >= 22
#include "llvm/Plugins/PassPlugin.h"
#else
#include "llvm/Passes/PassPlugin.h"
#endif
#if LLVM_VERSION_MAJOR >= 16
#include "llvm/Support/ModRef.h"
#endif
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

#include <dlfcn.h>

namespace memscope {
namespace compat {

// startswith was renamed in 16 and removed in 19.
inline bool hasPrefix(llvm::StringRef S, llvm::StringRef Prefix) {
  return S.size() >= Prefix.size() && S.substr(0, Prefix.size()) == Prefix;
}

// i8* where pointers have types (14), ptr since.
inline llvm::PointerType *bytePointer(llvm::LLVMContext &C) {
#if LLVM_VERSION_MAJOR >= 17
  return llvm::PointerType::get(C, 0);
#else
  return llvm::Type::getInt8PtrTy(C);
#endif
}

inline llvm::PointerType *pointerTo(llvm::Type *T, unsigned AddressSpace) {
#if LLVM_VERSION_MAJOR >= 17
  return llvm::PointerType::get(T->getContext(), AddressSpace);
#else
  return llvm::PointerType::get(T, AddressSpace);
#endif
}

// The cold call keeps nothing and touches no memory the program can see.
inline void setQuietArguments(llvm::CallInst *Call) {
#if LLVM_VERSION_MAJOR >= 21
  Call->addParamAttr(0, llvm::Attribute::getWithCaptureInfo(Call->getContext(), llvm::CaptureInfo::none()));
#else
  Call->addParamAttr(0, llvm::Attribute::NoCapture);
#endif
#if LLVM_VERSION_MAJOR >= 16
  Call->setMemoryEffects(llvm::MemoryEffects::inaccessibleMemOnly());
#else
  Call->setOnlyAccessesInaccessibleMemory();
#endif
  Call->setDoesNotThrow();
}

// Sanitizers must not put red zones around the tables: their layout is a contract.
inline void excludeFromSanitizers(llvm::GlobalVariable *G) {
#if LLVM_VERSION_MAJOR >= 15
  llvm::GlobalValue::SanitizerMetadata Meta;
  Meta.NoAddress = true;
  Meta.NoHWAddress = true;
  G->setSanitizerMetadata(Meta);
#else
  llvm::LLVMContext &C = G->getContext();
  llvm::Type *Bit = llvm::Type::getInt1Ty(C);
  llvm::Metadata *Fields[] = {llvm::ConstantAsMetadata::get(G), nullptr, nullptr,
                              llvm::ConstantAsMetadata::get(llvm::ConstantInt::get(Bit, 0)),
                              llvm::ConstantAsMetadata::get(llvm::ConstantInt::get(Bit, 1))};
  G->getParent()->getOrInsertNamedMetadata("llvm.asan.globals")->addOperand(llvm::MDNode::get(C, Fields));
#endif
}

using PipelineLevel = llvm::OptimizationLevel;

// The thread pointer's type became a parameter of the intrinsic.
inline llvm::SmallVector<llvm::Type *, 1> threadPointerTypes(llvm::LLVMContext &C) {
#if LLVM_VERSION_MAJOR >= 20
  return {llvm::PointerType::get(C, 0)};
#else
  (void)C;
  return {};
#endif
}

// The annotation's pointers became parameters of the intrinsic.
inline llvm::SmallVector<llvm::Type *, 2> annotationTypes(llvm::LLVMContext &C) {
#if LLVM_VERSION_MAJOR >= 16
  return {bytePointer(C), bytePointer(C)};
#else
  (void)C;
  return {};
#endif
}

// Behind all optimisation of this stage. The callback got a third argument in 20.
template <typename Add> void atPipelineEnd(llvm::PassBuilder &PB, Add AddTo) {
#if LLVM_VERSION_MAJOR >= 20
  PB.registerOptimizerLastEPCallback(
      [AddTo](llvm::ModulePassManager &MPM, PipelineLevel, llvm::ThinOrFullLTOPhase) { AddTo(MPM); });
#else
  PB.registerOptimizerLastEPCallback([AddTo](llvm::ModulePassManager &MPM, PipelineLevel) { AddTo(MPM); });
#endif
}

// The module a pass is about to run on, if it is a module pass.
inline const llvm::Module *moduleOf(llvm::Any &IR) {
#if LLVM_VERSION_MAJOR >= 16
  auto *M = llvm::any_cast<const llvm::Module *>(&IR);
  return M ? *M : nullptr;
#else
  return llvm::any_isa<const llvm::Module *>(IR) ? llvm::any_cast<const llvm::Module *>(IR) : nullptr;
#endif
}

// Makes the back end run our pass at the start of its pipeline. Up to 18 only a
// pass plugin's path can be handed over: ours is that plugin too.
inline void addPipelineHook(clang::CodeGenOptions &Opts, void (*Callback)(llvm::PassBuilder &)) {
#if LLVM_VERSION_MAJOR >= 19
  Opts.PassBuilderCallbacks.push_back(Callback);
#else
  Dl_info Info;
  if (dladdr(reinterpret_cast<void *>(Callback), &Info)) Opts.PassPlugins.push_back(Info.dli_fname);
#endif
}

// The legacy pass manager (a choice in 14 only) never runs our pass.
inline bool usesLegacyPasses(const clang::CodeGenOptions &Opts) {
#if LLVM_VERSION_MAJOR < 15
  return Opts.LegacyPassManager;
#else
  (void)Opts;
  return false;
#endif
}

inline clang::LinkageSpecDecl *createExternC(clang::ASTContext &Ctx) {
  using namespace clang;
#if LLVM_VERSION_MAJOR >= 18
  auto Language = LinkageSpecLanguageIDs::C;
#else
  auto Language = LinkageSpecDecl::lang_c;
#endif
  return LinkageSpecDecl::Create(Ctx, Ctx.getTranslationUnitDecl(), SourceLocation(), SourceLocation(), Language,
                                 /*HasBraces=*/false);
}

// The field a flexible array or pointer is counted by, from the attribute.
inline const clang::FieldDecl *countedBy(const clang::FieldDecl *Field) {
#if LLVM_VERSION_MAJOR >= 19
  if (auto *Counted = Field->getType()->getAs<clang::CountAttributedType>())
    if (auto *Ref = llvm::dyn_cast<clang::DeclRefExpr>(Counted->getCountExpr()->IgnoreParenImpCasts()))
      return llvm::dyn_cast<clang::FieldDecl>(Ref->getDecl());
#else
  (void)Field;
#endif
  return nullptr;
}

// T without a counted_by attribute, which would be spelled in its name.
inline clang::QualType withoutCount(clang::QualType T) {
#if LLVM_VERSION_MAJOR >= 19
  while (auto *Counted = T->getAs<clang::CountAttributedType>()) T = Counted->desugar();
#endif
  return T;
}

inline bool isUnnamedBits(const clang::FieldDecl *Field) {
#if LLVM_VERSION_MAJOR >= 19
  return Field->isUnnamedBitField();
#else
  return Field->isUnnamedBitfield();
#endif
}

// Evaluated at compile time only: never emitted, so never marked.
inline bool isImmediate(const clang::FunctionDecl *F) {
#if LLVM_VERSION_MAJOR >= 17
  return F->isImmediateFunction();
#else
  return F->isConsteval();
#endif
}

} // namespace compat
} // namespace memscope

#endif
