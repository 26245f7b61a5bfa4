// hearth: one program, many subcommands. Exit code 0: done. 1: could not be done, one line on
// stderr says why. 2: misuse.
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <string_view>
#include <system_error>

#include "base/error.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"

namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kMisuse = 2;

/// A page of a mapped file is not there any more: the file became shorter, or its disk is gone.
void lost_file(int) {
  constexpr std::string_view kLine =
      "hearth: a file could not be read any more while it was in use (SIGBUS); was it replaced or "
      "cut short, or is its disk gone?\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kLine.data(), kLine.size());
  _exit(kFailed);
}

int fail(const char* message) {
  std::fprintf(stderr, "hearth: %s\n", message);
  return kFailed;
}

/// Whoever read the output has seen enough (`hearth ... | head`): nothing has failed.
bool is_closed_pipe(const std::system_error& error) {
  return error.code() == std::errc::broken_pipe;
}

/// What is still buffered must reach its reader: a full disk is a failure, a closed pipe is none.
int finish_output() {
  if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return kDone;
  return errno == EPIPE ? kDone : fail("the output could not be written; is the disk full?");
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGBUS, lost_file);
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of the write, not the end
  try {
    hearth::cli::CommandLine line(
        "hearth", "Hearth runs language models from GGUF files on your own machine.",
        HEARTH_VERSION);
    for (const auto add : hearth::cli::kCommands) add(line);
    return line.run(argc, argv) ? finish_output() : kMisuse;
  } catch (const std::bad_alloc&) {
    return fail("out of memory; a smaller context (-c) or a smaller model needs less");
  } catch (const std::system_error& error) {
    return is_closed_pipe(error) ? kDone : fail(error.what());
  } catch (const std::exception& error) {
    return fail(error.what());
  }
}
