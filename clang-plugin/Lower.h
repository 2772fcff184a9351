// SPDX-License-Identifier: MIT
//
// The back-end half: a module pass at the start of the pipeline (at -O0 and
// before LTO too) that replaces every marker by the note of a check, and adds the
// unit's tables; and one at its end that makes code of the notes (Check.h).
#ifndef MEMSCOPE_LOWER_H
#define MEMSCOPE_LOWER_H

#include "Compat.h"

namespace memscope {

struct LowerOptions {
  bool Verbose = false;
  bool ListSites = false;
  bool FramePointers = false; // kept by every function
  bool TwoStages = false; // no pipeline will run: lower before the module is written
};

// Makes the compilation that uses Opts run the pass.
void requestLowering(clang::CodeGenOptions &Opts, LowerOptions How);

} // namespace memscope

#endif
