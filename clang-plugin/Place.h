// SPDX-License-Identifier: MIT
//
// Source locations as sites write them: presumed file (#line counts), made
// absolute, then mapped by -fdebug-prefix-map.
#ifndef MEMSCOPE_PLACE_H
#define MEMSCOPE_PLACE_H

#include "Site.h"
#include "clang/Basic/SourceManager.h"
#include "clang/Frontend/CompilerInstance.h"
#include "llvm/ADT/StringMap.h"

namespace memscope {

class Places {
public:
  explicit Places(const clang::CompilerInstance &CI);

  // Sets File, Line, Column and the system flag. A place inside a macro is
  // where the macro is used.
  void set(Site &S, clang::SourceLocation Loc);

  std::string path(llvm::StringRef Name);
  const std::string &fileOf(clang::SourceLocation Loc);

private:
  const clang::CompilerInstance &CI;
  const clang::SourceManager &Sources;
  llvm::StringMap<std::string> Known;
};

} // namespace memscope

#endif
