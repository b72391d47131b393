"""What the operating system and the hardware offer: processes, disks, devices.

capacity       how many cores and how much memory this process may use
devices        which devices there are, and what they hold
processes      process groups, resource limits, ends of whole trees
control_group  what a tree of processes has used, and its end, by the kernel's own account
cpu_meter      CPU time where there are no control groups
disk           free space
scratch        the private folder of one process
output         the tail of what a process printed
"""
