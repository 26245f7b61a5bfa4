// The conversation at the keyboard (or from a pipe, a turn per line): reads messages, obeys
// commands, streams answers.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "engine/runtime/session.h"
#include "tools/cli/chat_grounding.h"
#include "tools/cli/line_editor.h"

namespace hearth::cli {

class ChatLoop {
 public:
  /// `settings` is what /stats says of the sampling. With `grounding`, which may be null, answers
  /// come from an index.
  ChatLoop(Session& session, LineEditor& input, std::string settings,
           ChatGrounding* grounding = nullptr);

  /// Until the user leaves or the input ends. From a pipe, the first thing that fails is thrown.
  void run();

 private:
  struct Command;
  static const Command kCommands[];
  enum class Next { go_on, leave };

  LineEvent read_message(std::string& message);
  Next handle(const std::string& message);
  Next obey(const std::string& line);
  void answer_from_index(const std::string& question);
  void answer(const std::function<Reply(const GenerateHooks&)>& ask);
  void report(const Reply& reply) const;

  Next help(const std::string& argument);
  Next clear(const std::string& argument);
  Next system(const std::string& argument);
  Next save(const std::string& argument);
  Next load(const std::string& argument);
  Next regenerate(const std::string& argument);
  Next stats(const std::string& argument);
  Next why(const std::string& argument);
  Next quit(const std::string& argument);

  Session& session_;
  LineEditor& input_;
  std::string settings_;
  ChatGrounding* grounding_;
};

}  // namespace hearth::cli
