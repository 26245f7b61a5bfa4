// The subcommands of `hearth`. Each file cmd_<name>.cpp defines one function that adds its
// subcommand to the program.
#pragma once

namespace CLI {
class App;
}

namespace hearth::cli {

using AddCommand = void (*)(CLI::App& app);

void add_chat(CLI::App& app);
void add_run(CLI::App& app);
void add_inspect(CLI::App& app);
void add_tokenize(CLI::App& app);
void add_detokenize(CLI::App& app);
void add_template(CLI::App& app);
void add_logits(CLI::App& app);
void add_verify(CLI::App& app);
void add_plan(CLI::App& app);
void add_perplexity(CLI::App& app);
void add_embed(CLI::App& app);
void add_index(CLI::App& app);
void add_search(CLI::App& app);
void add_import(CLI::App& app);
void add_export(CLI::App& app);
void add_ask(CLI::App& app);
void add_eval(CLI::App& app);
void add_convert(CLI::App& app);
void add_bench(CLI::App& app);
void add_quantize(CLI::App& app);
void add_synth(CLI::App& app);
void add_doctor(CLI::App& app);

/// Every subcommand, in the order of the help text. A new one is a line here and a file.
// clang-format off
inline constexpr AddCommand kCommands[] = {
    add_chat,
    add_run,
    add_inspect,
    add_tokenize,
    add_detokenize,
    add_template,
    add_logits,
    add_verify,
    add_plan,
    add_perplexity,
    add_embed,
    add_index,
    add_search,
    add_import,
    add_export,
    add_ask,
    add_eval,
    add_convert,
    add_bench,
    add_quantize,
    add_synth,
    add_doctor,
};
// clang-format on

}  // namespace hearth::cli
