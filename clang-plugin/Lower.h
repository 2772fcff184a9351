// SPDX-License-Identifier: MIT
//
// The back-end half: a module pass at the start of the pipeline (at -O0 and
// before LTO too) that replaces every marker by a check and a cold call, and
// adds the unit's tables. After it no trace of the markers is left.
#ifndef MEMSCOPE_LOWER_H
#define MEMSCOPE_LOWER_H

#include "Compat.h"

namespace memscope {

struct LowerOptions {
  bool Verbose = false;
  bool ListSites = false;
  bool TwoStages = false; // no pipeline will run: lower before the module is written
};

// Makes the compilation that uses Opts run the pass.
void requestLowering(clang::CodeGenOptions &Opts, LowerOptions How);

} // namespace memscope

#endif
