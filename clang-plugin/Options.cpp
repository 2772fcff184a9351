// SPDX-License-Identifier: MIT
//
// Plugin arguments and the configuration file. See Options.h.
#include "Options.h"
#include "clang/Basic/Diagnostic.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace clang;

namespace memscope {

const char OptionHelp[] =
    "memscope: names every heap byte; arguments are -fplugin-arg-memscope-<option>[=value]\n"
    "  help            this text\n"
    "  verbose         counts of each source file on stderr\n"
    "  verbose=sites   and every site\n"
    "  frame-pointers  every function keeps its frame pointer, whatever -fomit-frame-pointer says:\n"
    "                  for memscope run --stack fp. A tail call still leaves no frame, see\n"
    "                  -fno-optimize-sibling-calls\n"
    "  exclude=GLOB    source files that are left as they are: *.gen.c, third_party/*\n"
    "  config=FILE     lines of key = value, # begins a comment:\n"
    "                    exclude = GLOB        as above\n"
    "                    wrapper = NAME        function NAME only passes blocks on\n"
    "                    allocator = NAME      function NAME hands out blocks\n"
    "                    deallocator = NAME    function NAME takes blocks back\n";

static bool report(DiagnosticsEngine &Diags, llvm::StringRef Text) {
  Diags.Report(Diags.getCustomDiagID(DiagnosticsEngine::Error, "memscope: %0")) << Text;
  return false;
}

bool Options::parse(const std::vector<std::string> &Arguments, DiagnosticsEngine &Diags) {
  for (const std::string &Argument : Arguments) {
    auto [Name, Value] = llvm::StringRef(Argument).split('=');
    bool HasValue = Name.size() != Argument.size();
    if (Name == "help" && !HasValue) {
      Help = true;
    } else if (Name == "verbose" && (!HasValue || Value == "sites")) {
      Verbose = true;
      ListSites |= Value == "sites";
    } else if (Name == "frame-pointers" && !HasValue) {
      FramePointers = true;
    } else if (Name == "exclude" && !Value.empty()) {
      std::string Error;
      if (!addExclude(Value, Error)) return report(Diags, Error);
    } else if (Name == "config" && !Value.empty()) {
      if (!readConfig(Value, Diags)) return false;
    } else {
      return report(Diags, "unknown argument '" + Argument +
                               "'; known are help, verbose, verbose=sites, frame-pointers, exclude=GLOB, config=FILE");
    }
  }
  return true;
}

bool Options::addExclude(llvm::StringRef Glob, std::string &Error) {
  ExcludeTexts.push_back(Glob.str());
  auto Pattern = llvm::GlobPattern::create(ExcludeTexts.back());
  if (!Pattern) {
    Error = ("bad pattern '" + Glob + "': " + llvm::toString(Pattern.takeError())).str();
    return false;
  }
  Excludes.push_back(std::move(*Pattern));
  return true;
}

bool Options::isExcluded(llvm::StringRef Path) const {
  for (const llvm::GlobPattern &Pattern : Excludes)
    // the whole path, then what stands behind each slash
    for (llvm::StringRef Tail = Path; !Tail.empty(); Tail = Tail.split('/').second)
      if (Pattern.match(Tail)) return true;
  return false;
}

bool Options::readConfig(llvm::StringRef Path, DiagnosticsEngine &Diags) {
  auto Buffer = llvm::MemoryBuffer::getFile(Path, /*IsText=*/true);
  if (!Buffer) return report(Diags, ("cannot read " + Path + ": " + Buffer.getError().message()).str());
  unsigned Number = 0;
  for (llvm::StringRef Rest = (*Buffer)->getBuffer(); !Rest.empty();) {
    llvm::StringRef Line;
    std::tie(Line, Rest) = Rest.split('\n');
    ++Number;
    std::string Error;
    if (!configLine(Line, Error))
      return report(Diags, (Path + ":" + llvm::Twine(Number) + ": " + Error).str());
  }
  return true;
}

bool Options::configLine(llvm::StringRef Line, std::string &Error) {
  Line = Line.split('#').first.trim();
  if (Line.empty()) return true;
  auto [Key, Value] = Line.split('=');
  Key = Key.trim();
  Value = Value.trim();
  if (Value.empty()) {
    Error = "expected key = value";
    return false;
  }
  if (Key == "exclude") return addExclude(Value, Error);
  llvm::StringSet<> *Names = Key == "wrapper"       ? &Wrappers
                             : Key == "allocator"   ? &Allocators
                             : Key == "deallocator" ? &Deallocators
                                                    : nullptr;
  if (Names) {
    Names->insert(Value);
    return true;
  }
  Error = ("unknown key '" + Key + "'; known are exclude, wrapper, allocator, deallocator").str();
  return false;
}

} // namespace memscope
