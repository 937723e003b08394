"""Identity: the RSA-8192 root, the ID that commits to it, devices, and the sealed files that hold them. No I/O."""
