"""What is given to a patient, when: prescriptions in words, explicit doses, and stops for the solver."""
