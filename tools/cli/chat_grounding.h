// A conversation whose answers come from an index: a question that leans on what was said before is
// made one that stands by itself, and what is found goes to the model with it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/runtime/session.h"
#include "tools/cli/rag_prompt.h"
#include "tools/cli/retrieve.h"

namespace hearth::cli {

class ChatGrounding {
 public:
  /// Throws Error when the index or the template cannot be used.
  ChatGrounding(const RetrievalOptions& retrieval, const GroundingOptions& options);

  /// What the model is to be given for the next question of the session; none if nothing was found
  /// that answers it. As many of the best sources as the context has room for.
  std::optional<std::string> prompt_for(const std::string& question, Session& session,
                                        const GenerateHooks& hooks);

  /// The sources of the last prompt, a line each.
  std::string sources() const;

  /// What was searched for and what was found, for people.
  std::string why() const;

 private:
  std::string standalone(const std::string& question, Session& session,
                         const GenerateHooks& hooks) const;

  Retriever retriever_;
  RagPrompt prompt_;
  double threshold_;
  std::string searched_;  // the question that the index was asked
  Hits hits_;
  std::size_t n_used_ = 0;  // sources that the model was given
};

}  // namespace hearth::cli
