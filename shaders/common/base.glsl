// What every shader begins with: the size of a workgroup is a specialisation constant, and so many workgroups as a
// dispatch needs are laid out over x and y, since x alone ends at 65,535 on some devices.
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0, local_size_y = 1, local_size_z = 1) in;
layout(constant_id = 0) const uint WG = 32;

uint lane() { return gl_LocalInvocationID.x; }
uint group() { return gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x; }
uint invocation() { return group() * WG + lane(); }

#define kInfinity uintBitsToFloat(0x7F800000u)
