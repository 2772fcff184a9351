// SPDX-License-Identifier: MIT
//
// What the user asked of the plugin: -fplugin-arg-memscope-<option>[=value]
// and the lines of a configuration file. Errors are Clang diagnostics.
#ifndef MEMSCOPE_OPTIONS_H
#define MEMSCOPE_OPTIONS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/GlobPattern.h"
#include <deque>
#include <string>
#include <vector>

namespace clang {
class DiagnosticsEngine;
}

namespace memscope {

class Options {
public:
  Options() = default;
  Options(Options &&) = default; // no copies: the patterns point into the texts

  bool Verbose = false;   // counts on stderr
  bool ListSites = false; // every site on stderr
  bool Help = false;
  bool FramePointers = false; // in every function of the unit

  // False after an error diagnostic.
  bool parse(const std::vector<std::string> &Arguments, clang::DiagnosticsEngine &Diags);

  bool isWrapper(llvm::StringRef Function) const { return Wrappers.count(Function); }
  bool isAllocator(llvm::StringRef Function) const { return Allocators.count(Function); }
  bool isDeallocator(llvm::StringRef Function) const { return Deallocators.count(Function); }

  // Path is absolute; a pattern may also name its last parts only.
  bool isExcluded(llvm::StringRef Path) const;
  bool excludesAnything() const { return !Excludes.empty(); }

private:
  bool addExclude(llvm::StringRef Glob, std::string &Error);
  bool readConfig(llvm::StringRef Path, clang::DiagnosticsEngine &Diags);
  bool configLine(llvm::StringRef Line, std::string &Error);

  llvm::StringSet<> Wrappers, Allocators, Deallocators;
  std::deque<std::string> ExcludeTexts; // the patterns point into them
  std::vector<llvm::GlobPattern> Excludes;
};

// The text of -fplugin-arg-memscope-help.
extern const char OptionHelp[];

} // namespace memscope

#endif
