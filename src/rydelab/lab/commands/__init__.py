"""The sub-commands of ``rydelab``, one module each."""
