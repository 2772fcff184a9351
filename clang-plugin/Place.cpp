// SPDX-License-Identifier: MIT
//
// Source locations to files and lines. See Place.h.
#include "Place.h"
#include "Compat.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace clang;

namespace memscope {

Places::Places(const CompilerInstance &CI) : CI(CI), Sources(CI.getSourceManager()) {}

std::string Places::path(llvm::StringRef Name) {
  llvm::SmallString<256> Path(Name);
  const CodeGenOptions &Opts = CI.getCodeGenOpts();
  if (!Name.empty() && Name.front() != '<') { // <stdin>, <built-in>
    if (!Opts.DebugCompilationDir.empty() && !llvm::sys::path::is_absolute(Path)) {
      Path = Opts.DebugCompilationDir;
      llvm::sys::path::append(Path, Name);
    }
    llvm::sys::fs::make_absolute(Path);
    llvm::sys::path::remove_dots(Path, /*remove_dot_dot=*/true);
  }
  // -fdebug-prefix-map=OLD=NEW: the last one given wins, as in Clang itself.
  // OLD may be written for the absolute path or for the one on the command line.
  std::string Mapped(Path.str());
  for (const auto &Entry : Opts.DebugPrefixMap)
    for (llvm::StringRef Form : {Path.str(), Name})
      if (compat::hasPrefix(Form, Entry.first)) {
        Mapped = Entry.second + Form.substr(Entry.first.size()).str();
        break;
      }
  return Mapped;
}

const std::string &Places::fileOf(SourceLocation Loc) {
  static const std::string None;
  PresumedLoc Presumed = Sources.getPresumedLoc(Sources.getExpansionLoc(Loc));
  if (Presumed.isInvalid()) return None;
  auto [It, New] = Known.try_emplace(Presumed.getFilename());
  if (New) It->second = path(Presumed.getFilename());
  return It->second;
}

void Places::set(Site &S, SourceLocation Loc) {
  Loc = Sources.getExpansionLoc(Loc);
  PresumedLoc Presumed = Sources.getPresumedLoc(Loc);
  if (Presumed.isInvalid()) return;
  S.File = fileOf(Loc);
  S.Line = Presumed.getLine();
  S.Column = Presumed.getColumn();
  if (Sources.isInSystemHeader(Loc)) S.Flags |= MS_SITE_SYSTEM;
}

} // namespace memscope
