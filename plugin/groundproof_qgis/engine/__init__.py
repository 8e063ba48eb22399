"""Who answers: the engine on this computer or elsewhere, and speaking to it."""
