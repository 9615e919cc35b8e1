// torrx-exec: takes away from itself what ffmpeg has no need of, then becomes ffmpeg. It runs between fork and the
// program, single-threaded, and is the part of the sandbox that a hostile file cannot reach.
//
//   torrx-exec --check
//   torrx-exec --parent PID [OPTION VALUE]... [--may-fork] [--list-libraries] -- PROGRAM NAME [ARGUMENT]...

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "call_filter.hh"
#include "landlock.hh"
#include "own_process.hh"

namespace torrx::exec {
namespace {

/** Two numbers: Landlock's version (0: none), and whether calls are filtered. */
int tellWhatThereIs() {
  std::printf("landlock %d\ncall_filter %d\n", landlockVersion(), hasCallFilter() ? 1 : 0);
  return EXIT_SUCCESS;
}

/** The order matters: descriptors before their limit, no_new_privs before both filters, the filter of calls last. */
std::optional<Failure> prepare(const Options& options) {
  if (!dieWithParent(options.parent)) return Failure{Failure::kOurs, "the parent is gone"};
  settleIn(options);
  if (chdir("/") != 0) return failure("/", errno);
  if (auto failed = limitResources(options)) return failed;
  if (auto failed = giveUpPrivileges()) return failed;
  if (auto failed = enterLandlock(options)) return failed;
  return enterCallFilter(options.mayFork);
}

std::vector<char*> argvOf(Options& options) {
  std::vector<char*> argv;
  for (std::string& word : options.arguments) argv.push_back(word.data());
  argv.push_back(nullptr);
  return argv;
}

/** Returns only when it fails. */
Failure become(Options& options) {
  char locale[] = "LC_ALL=C";
  char path[] = "PATH=/usr/bin:/bin";
  char listing[] = "LD_TRACE_LOADED_OBJECTS=1";
  char* environment[] = {locale, path, options.listsLibraries ? listing : nullptr, nullptr};
  execve(options.program.c_str(), argvOf(options).data(), environment);
  const int code = errno;
  const bool isMissing = code == ENOENT || code == ENOTDIR;
  return {isMissing ? Failure::kNotFound : Failure::kNotRunnable, failure(options.program, code).text};
}

int run(Options options) {
  const std::optional<Failure> failed = prepare(options);
  const Failure why = failed ? *failed : become(options);
  std::fprintf(stderr, "torrx-exec: %s\n", why.text.c_str());
  return why.exitCode;
}

}  // namespace
}  // namespace torrx::exec

int main(int count, char** words) {
  using namespace torrx::exec;
  const Parsed parsed = parseOptions(std::span(words, static_cast<std::size_t>(count)).subspan(count > 0 ? 1 : 0));
  if (std::holds_alternative<CheckOnly>(parsed)) return tellWhatThereIs();
  if (const auto* options = std::get_if<Options>(&parsed)) return run(*options);
  std::fprintf(stderr, "torrx-exec: %s\n", std::get<std::string>(parsed).c_str());
  return Failure::kOurs;
}
