// SPDX-License-Identifier: MIT
//
// memscope.so and memscope-<major>.so: what -fplugin= names. It refers to no
// LLVM symbol that must exist, so it loads into any Clang, asks that Clang for
// its version, and loads the plugin proper, memscope/plugin-<major>.so beside
// it. In the wrong Clang it says so in one sentence instead of the dynamic
// linker's list of mangled names.
//
//   MEMSCOPE_MAJOR   the one version this loader serves; 0 = any that is built
//   MEMSCOPE_BUILT   the versions built, for the message
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <limits.h>
#include <string>
#include <unistd.h>

namespace clang {
__attribute__((weak)) std::string getClangFullVersion();
}

namespace {

std::string directoryOf(const char *Path) {
  char Real[PATH_MAX];
  std::string Text = realpath(Path, Real) ? Real : Path;
  size_t Slash = Text.rfind('/');
  return Slash == std::string::npos ? "." : Text.substr(0, Slash);
}

// 0 when the host is no Clang, or one whose C++ library is another.
int hostMajor() {
  if (!&clang::getClangFullVersion) return 0;
  std::string Text = clang::getClangFullVersion();
  size_t At = Text.find("version ");
  return At == std::string::npos ? 0 : std::atoi(Text.c_str() + At + std::strlen("version "));
}

// A compiler must not go on as if it had been told nothing; an editor that
// borrows the command line must not be killed.
bool hostIsCompiler() {
  char Path[PATH_MAX];
  ssize_t Length = readlink("/proc/self/exe", Path, sizeof Path - 1);
  if (Length <= 0) return true;
  Path[Length] = 0;
  const char *Name = std::strrchr(Path, '/');
  Name = Name ? Name + 1 : Path;
  if (std::strncmp(Name, "clang", 5) != 0) return false;
  return std::strspn(Name + 5, "+-.0123456789") == std::strlen(Name + 5);
}

void refuse(const std::string &Sentence) {
  std::fprintf(stderr, "error: %s\n", Sentence.c_str());
  if (hostIsCompiler()) _exit(1);
}

__attribute__((constructor)) void load() {
  Dl_info Self;
  if (!dladdr(reinterpret_cast<void *>(&load), &Self)) return;
  std::string Directory = directoryOf(Self.dli_fname);
  const char *Slash = std::strrchr(Self.dli_fname, '/');
  std::string Name = Slash ? Slash + 1 : Self.dli_fname;
  int Major = hostMajor();
  if (!Major) return refuse(Name + " is a plugin for Clang " MEMSCOPE_BUILT ", and this program is none of them");
  std::string Host = std::to_string(Major);
  std::string Plugin = Directory + "/memscope/plugin-" + Host + ".so";
  bool Built = access(Plugin.c_str(), R_OK) == 0;
  if (MEMSCOPE_MAJOR && Major != MEMSCOPE_MAJOR)
    return refuse(Name + " is for Clang " + std::to_string(MEMSCOPE_MAJOR) + ", and this is Clang " + Host +
                  (Built ? ": use " + Directory + "/memscope-" + Host + ".so" : ""));
  if (!Built)
    return refuse(Name + " was built for Clang " MEMSCOPE_BUILT ", and this is Clang " + Host + " (no " + Plugin + ")");
  if (!dlopen(Plugin.c_str(), RTLD_LAZY | RTLD_LOCAL))
    refuse(Name + " does not fit this build of Clang " + Host + ": " + dlerror());
}

} // namespace
