"""What the operating system and the hardware offer: processes, disks, devices.

processes    process groups, resource limits, ends of whole trees
disk         free space
scratch      the private folder of one process
output       the tail of what a process printed
devices      which devices there are, and what they hold
"""
