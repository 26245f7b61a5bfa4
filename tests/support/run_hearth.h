// Runs the built program as a user would and keeps what it said.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/temp_dir.h"

namespace hearth::test {

struct ProgramResult {
  int exit_code;  // 128 + signal if a signal ended it
  std::string out;
  std::string err;
};

/// A program and its arguments, with `input` on stdin, to its end. words[0] is the program's path.
inline ProgramResult run_program(std::vector<std::string> words, std::string_view input = {}) {
  const TempDir dir;
  const std::string in = (dir / "in").string();
  const std::string out = (dir / "out").string();
  const std::string err = (dir / "err").string();
  std::ofstream(in, std::ios::binary) << input;

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  constexpr int kNew = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, in.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), kNew, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), kNew, 0600);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  const int failed = posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  if (failed != 0 || waitpid(child, &status, 0) != child)
    throw std::runtime_error("cannot run " + words[0]);

  const auto contents = [](const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return {code, contents(out), contents(err)};
}

/// `hearth args...`. HEARTH_PROGRAM is the path of the program.
inline ProgramResult run_hearth(const std::vector<std::string>& args, std::string_view input = {}) {
  std::vector<std::string> words = {HEARTH_PROGRAM};
  words.insert(words.end(), args.begin(), args.end());
  return run_program(std::move(words), input);
}

}  // namespace hearth::test
