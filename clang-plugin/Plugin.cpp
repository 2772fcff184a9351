// SPDX-License-Identifier: MIT
//
// The Clang plugin: decides whether a compilation is one to instrument, sees
// each body before code generation does, and hands it to the Finder and the
// Marker. The other half, Lower.cpp, runs in the back end of the same process.
#include "Compat.h"
#include "Finder.h"
#include "Lower.h"
#include "Marker.h"
#include "Options.h"
#include "clang/AST/ASTConsumer.h"
#include "clang/AST/Attr.h"
#include "clang/AST/RecursiveASTVisitor.h"
#include "clang/Basic/TargetInfo.h"
#include "clang/Basic/Version.h"
#include "clang/Frontend/FrontendPluginRegistry.h"
#include "llvm/ADT/DenseSet.h"

using namespace clang;

namespace memscope {

namespace {

class Consumer : public ASTConsumer {
public:
  Consumer(CompilerInstance &CI, Options Opts, SiteTable &Sites)
      : CI(CI), Opts(std::move(Opts)), Where(CI), Sites(Sites) {}

  bool HandleTopLevelDecl(DeclGroupRef Group) override {
    for (Decl *D : Group) visit(D);
    return true;
  }
  void HandleInlineFunctionDefinition(FunctionDecl *F) override { visit(F); }
  void HandleCXXStaticMemberVarInstantiation(VarDecl *Var) override { visit(Var); }
  void HandleTranslationUnit(ASTContext &Ctx) override;

  // By whichever way a declaration comes; each body is changed once.
  void visit(Decl *D);
  void visitLate(FunctionDecl *F) { change(F, /*Late=*/true); }

private:
  void change(FunctionDecl *F, bool Late);
  void change(VarDecl *Var);
  void apply(Finder &Found, bool Late);
  bool isOurs(const Decl *D);

  CompilerInstance &CI;
  Options Opts;
  Places Where;
  SiteTable &Sites;
  std::unique_ptr<Marker> Marks;
  llvm::DenseSet<const Decl *> Seen;
};

// What came by no callback: local instantiations, implicit members, and bodies
// that had to wait because Clang may still evaluate them.
class Leftovers : public RecursiveASTVisitor<Leftovers> {
public:
  explicit Leftovers(Consumer &Bodies) : Bodies(Bodies) {}
  bool shouldVisitTemplateInstantiations() const { return true; }
  bool shouldVisitImplicitCode() const { return true; }
  bool VisitFunctionDecl(FunctionDecl *F) {
    Functions.push_back(F);
    return true;
  }
  bool VisitVarDecl(VarDecl *Var) {
    if (Var->isFileVarDecl()) Variables.push_back(Var);
    return true;
  }
  void visitAll() {
    for (VarDecl *Var : Variables) Bodies.visit(Var);
    for (FunctionDecl *F : Functions) Bodies.visitLate(F);
  }

private:
  Consumer &Bodies;
  std::vector<FunctionDecl *> Functions;
  std::vector<VarDecl *> Variables;
};

bool Consumer::isOurs(const Decl *D) {
  if (D->isInvalidDecl() || D->isFromASTFile() || CI.getDiagnostics().hasErrorOccurred()) return false;
  if (D->hasAttr<NoInstrumentFunctionAttr>() || D->hasAttr<NakedAttr>()) return false;
  return !Opts.excludesAnything() || !Opts.isExcluded(Where.fileOf(D->getLocation()));
}

void Consumer::visit(Decl *D) {
  if (auto *F = dyn_cast<FunctionDecl>(D)) return change(F, false);
  if (auto *Var = dyn_cast<VarDecl>(D)) return change(Var);
  if (isa<ClassTemplateDecl>(D) || isa<FunctionTemplateDecl>(D)) return; // patterns are never touched
  if (auto *Record = dyn_cast<CXXRecordDecl>(D))
    if (Record->isDependentContext()) return;
  if (isa<NamespaceDecl>(D) || isa<LinkageSpecDecl>(D) || isa<ExportDecl>(D) || isa<CXXRecordDecl>(D))
    for (Decl *Member : cast<DeclContext>(D)->decls()) visit(Member);
}

void Consumer::change(FunctionDecl *F, bool Late) {
  if (!F->doesThisDeclarationHaveABody() || F->isDependentContext() || compat::isImmediate(F)) return;
  if (F->isConstexpr() && !Late) return; // Clang may still evaluate it
  if (!isOurs(F) || !F->getBody() || !Seen.insert(F).second) return;
  Finder Found(CI.getASTContext(), Opts, Where, Sites);
  Found.findIn(F);
  apply(Found, Late);
}

void Consumer::change(VarDecl *Var) {
  if (!Var->hasInit() || Var->getDeclContext()->isDependentContext() || Var->getType()->isDependentType()) return;
  if (!Var->isFileVarDecl() || !Var->isThisDeclarationADefinition()) return;
  if (!CI.getLangOpts().CPlusPlus || Var->getInit()->isValueDependent()) return; // a constant in C
  if (!isOurs(Var) || !Seen.insert(Var).second) return;
  Finder Found(CI.getASTContext(), Opts, Where, Sites);
  Found.findIn(Var);
  apply(Found, false);
}

void Consumer::apply(Finder &Found, bool Late) {
  if (!Marks) Marks = std::make_unique<Marker>(CI.getASTContext());
  Marks->apply(Found);
  for (FunctionDecl *F : Found.Nested) change(F, Late);
}

void Consumer::HandleTranslationUnit(ASTContext &Ctx) {
  if (CI.getDiagnostics().hasErrorOccurred()) return;
  if (Ctx.getLangOpts().CPlusPlus) {
    Leftovers Rest(*this);
    Rest.TraverseDecl(Ctx.getTranslationUnitDecl());
    Rest.visitAll();
  }
  SourceManager &Sources = CI.getSourceManager();
  Sites.Source = Where.fileOf(Sources.getLocForStartOfFile(Sources.getMainFileID()));
  Sites.Compiler = "clang " CLANG_VERSION_STRING;
  Sites.resolveTypes(Ctx);
}

// Only these actions reach a back end that runs our pass.
bool emitsCode(const CompilerInstance &CI) {
  switch (CI.getFrontendOpts().ProgramAction) {
  case frontend::EmitAssembly:
  case frontend::EmitBC:
  case frontend::EmitLLVM:
  case frontend::EmitObj:
  case frontend::EmitCodeGenOnly: return true;
  default: return false;
  }
}

// -save-temps compiles in two stages; the first, which saw the AST, runs no
// passes. A user's own -disable-llvm-passes is left alone.
bool isFirstOfTwoStages(const CompilerInstance &CI) {
  return CI.getCodeGenOpts().DisableLLVMPasses && CI.getFrontendOpts().ProgramAction == frontend::EmitBC &&
         CI.getFrontendOpts().Inputs.size() == 1 && CI.getFrontendOpts().Inputs[0].isPreprocessed();
}

bool isSupported(const CompilerInstance &CI) {
  const LangOptions &Lang = CI.getLangOpts();
  const llvm::Triple &Target = CI.getTarget().getTriple();
  if (Lang.ObjC || Lang.OpenCL || Lang.CUDA || Lang.Freestanding) return false;
  bool Known = Target.getArch() == llvm::Triple::x86_64 || Target.getArch() == llvm::Triple::aarch64;
  if (!Known || !Target.isOSBinFormatELF() || Target.isX32()) return false;
  const std::string &Model = CI.getTargetOpts().CodeModel;
  return Model != "kernel" && Model != "large";
}

class Action : public PluginASTAction {
protected:
  std::unique_ptr<ASTConsumer> CreateASTConsumer(CompilerInstance &CI, llvm::StringRef) override {
    SiteTable &Sites = currentUnit();
    Sites = SiteTable();
    bool TwoStages = isFirstOfTwoStages(CI);
    if (!emitsCode(CI) || !isSupported(CI) || compat::usesLegacyPasses(CI.getCodeGenOpts()) ||
        (CI.getCodeGenOpts().DisableLLVMPasses && !TwoStages))
      return std::make_unique<ASTConsumer>();
    requestLowering(CI.getCodeGenOpts(), {Opts.Verbose, Opts.ListSites, Opts.FramePointers, TwoStages});
    // This action goes as soon as the consumer is made.
    return std::make_unique<Consumer>(CI, std::move(Opts), Sites);
  }

  bool ParseArgs(const CompilerInstance &CI, const std::vector<std::string> &Arguments) override {
    if (!Opts.parse(Arguments, CI.getDiagnostics())) return false;
    if (Opts.Help) llvm::outs() << OptionHelp;
    return true;
  }

  ActionType getActionType() override { return AddBeforeMainAction; }

private:
  Options Opts;
};

FrontendPluginRegistry::Add<Action> Registered("memscope", "names every heap byte");

} // namespace

} // namespace memscope
