// hearth: one program, many subcommands. Exit code 0: done. 1: could not be done, one line on
// stderr says why. 2: misuse.
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "tools/cli/commands.h"
#include "tools/cli/help_format.h"

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

/// The field writes `-ngl N` with one dash, which would read as `-n gl`.
std::vector<std::string> arguments(int argc, char** argv) {
  std::vector<std::string> list;
  for (int i = argc - 1; i > 0; --i) {  // CLI11 takes them last first
    list.emplace_back(std::string_view(argv[i]) == "-ngl" ? "--ngl" : argv[i]);
  }
  return list;
}

/// A first word that is no command, or nullptr: CLI11 would only say that a command is required.
const char* unknown_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return nullptr;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->check_name(argv[1])) return nullptr;
  }
  return argv[1];
}

int misuse(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  if (const char* word = unknown_command(app, argc, argv)) {
    std::fprintf(stderr, "hearth: there is no command '%s'; hearth --help lists them\n", word);
    return kMisuse;
  }
  return app.exit(error) == 0 ? kDone : kMisuse;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Hearth runs language models from GGUF files on your own machine.", "hearth");
  app.set_version_flag("--version", "hearth " HEARTH_VERSION);
  app.require_subcommand(1);
  app.formatter(std::make_shared<hearth::cli::HelpFormat>());  // the commands take it over
  for (const auto add : hearth::cli::kCommands) {
    if (add) add(app);
  }
  std::signal(SIGBUS, lost_file);
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of the write, not the end
  try {
    app.parse(arguments(argc, argv));
    return finish_output();
  } catch (const CLI::ParseError& error) {
    return misuse(app, error, argc, argv);
  } catch (const std::bad_alloc&) {
    return fail("out of memory; a smaller context (-c) or a smaller model needs less");
  } catch (const std::system_error& error) {
    return is_closed_pipe(error) ? kDone : fail(error.what());
  } catch (const std::exception& error) {
    return fail(error.what());
  }
}
