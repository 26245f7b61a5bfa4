// The parameter buffer: what changes from one step to the next while the recorded commands stay. Of each row of the
// step its slot in the KV cache, its position, and one past the last position of its sequence.
layout(binding = STEP_BINDING) readonly buffer Step { uint step_words[]; };

struct Row {
  uint slot;
  uint position;
  uint end;
};

Row step_row(uint t) { return Row(step_words[4 * t], step_words[4 * t + 1], step_words[4 * t + 2]); }
