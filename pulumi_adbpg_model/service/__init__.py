"""
Pulumi's side of one model service: its fields, the property bags, the rules on them, what a change
means, what a preview can tell, and what each of Pulumi's calls does.
"""
