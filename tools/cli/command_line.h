// The program's command line: commands, and options that store what they are given. The parser
// behind it is a large library, which command_line.cpp alone includes: it would double the time of
// compiling every command.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace hearth::cli {

/// What a command throws when its options make no sense together.
class Misuse : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An option that was added, to say more of it.
class Option {
 public:
  explicit Option(CLI::Option& option) : option_(&option) {}

  /// What stands for the value in the help: "FILE".
  Option type(const std::string& name) const;
  Option required() const;
  /// The help shows the value that is there already.
  Option shows_default() const;
  /// Every word takes the option's name again.
  Option one_at_a_time() const;
  /// Numbers from `least` to `most`.
  Option range(std::int64_t least, std::int64_t most) const;
  /// `problem` is given the word, which it may change, and returns what is wrong with it, or "".
  Option check(std::function<std::string(std::string&)> problem) const;
  Option excludes(Option other) const;
  /// The heading of the help under which it stands.
  Option group(const std::string& heading) const;

 private:
  CLI::Option* option_;
};

/// A command, whose options are added to it. Names are as in "-t,--threads"; one without dashes is
/// that of an argument.
class Command {
 public:
  explicit Command(CLI::App& app) : app_(&app) {}

  /// Stores its value. T: the numbers, texts and lists of them that command_line.cpp names.
  template <class T>
  Option option(const std::string& name, T& value, const std::string& help);
  /// Hands its value on.
  Option option(const std::string& name, const std::function<void(const std::string&)>& take,
                const std::string& help);

  /// One of a few words, each of which stands for a value.
  template <class T>
  Option choice(const std::string& name, T& value, std::vector<std::pair<std::string, T>> choices,
                const std::string& help) {
    std::vector<std::string> words;
    words.reserve(choices.size());
    for (const auto& choice : choices) words.push_back(choice.first);
    return one_of(
        name, words,
        [&value, choices = std::move(choices)](std::size_t i) { value = choices[i].second; }, help);
  }

  Option flag(const std::string& name, bool& value, const std::string& help);
  Option flag(const std::string& name, std::function<void()> set, const std::string& help);

  /// What the help ends with.
  void footer(const std::string& text);
  void runs(std::function<void()> body);

 private:
  Option one_of(const std::string& name, const std::vector<std::string>& words,
                const std::function<void(std::size_t)>& take, const std::string& help);

  CLI::App* app_;
};

/// -t
Option add_threads_option(Command& command, int& n_threads);

class CommandLine {
 public:
  CommandLine(const std::string& name, const std::string& description, const std::string& version);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  Command command(const std::string& name, const std::string& description);

  /// Runs the command that the words name, or prints the help that they ask for; passes on what the
  /// command throws. False: they make no sense, and stderr says why.
  bool run(int argc, char** argv);

 private:
  std::unique_ptr<CLI::App> app_;
};

}  // namespace hearth::cli
